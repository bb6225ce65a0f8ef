//! The `Dockerfile`: its stages, and what each inherits.

/// One stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) base: String,
    /// Instructions and their arguments, those of the stages below included.
    pub(crate) instructions: Vec<(String, String)>,
}

impl Stage {
    /// The last of these instructions: the one that counts.
    pub(crate) fn last(&self, instruction: &str) -> Option<&str> {
        let mut of = self.instructions.iter().rev().filter(|(name, _)| name == instruction);
        of.next().map(|(_, arguments)| arguments.as_str())
    }

    /// All of these instructions.
    pub(crate) fn all<'a>(&'a self, instruction: &'a str) -> impl Iterator<Item = &'a str> {
        self.instructions.iter().filter(move |(name, _)| name == instruction).map(|(_, it)| it.as_str())
    }

    /// What the environment says of `variable`.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all("ENV").flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('='))
    }
}

/// The stages, in order; a stage that starts from another has that one's instructions.
pub(crate) fn stages(dockerfile: &str) -> Vec<Stage> {
    let code: Vec<&str> = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for line in code.join("\n").replace("\\\n", " ").lines() {
        let Some((instruction, arguments)) = line.trim().split_once(' ') else { continue };
        let arguments = arguments.split_whitespace().collect::<Vec<_>>().join(" ");
        if instruction == "FROM" {
            let (base, name) = arguments.split_once(" AS ").unwrap_or((&arguments, ""));
            let below = stages.iter().find(|stage| stage.name == base).cloned().unwrap_or_default();
            stages.push(Stage { name: name.to_owned(), base: base.to_owned(), ..below });
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.push((instruction.to_owned(), arguments));
        }
    }
    stages
}

/// The words of `["a", "b"]`.
pub(crate) fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
