//! Reads `docs/protocol.md`: its sections with their tables and fenced blocks.

use bellwether_tests::workspace;

/// The page, section by section.
pub(crate) struct Page {
    sections: Vec<Section>,
}

/// What stands between two headings.
struct Section {
    title: String,
    /// What stands before each table or block, down to the one before it, tells them apart.
    parts: Vec<Part>,
}

enum Part {
    Table(Table),
    Block(Block),
}

/// A table: its columns and rows, as they stand, without backticks.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A fenced block: what stands after the fence, and the lines.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) text: String,
}

impl Page {
    /// The page as it stands.
    pub(crate) fn read() -> Self {
        let path = workspace::path("docs/protocol.md");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::of(&text)
    }

    fn of(text: &str) -> Self {
        let mut sections = vec![Section { title: String::new(), parts: Vec::new() }];
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let section = sections.last_mut().expect("there is a first");
            if let Some(info) = line.strip_prefix("```") {
                let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                section.parts.push(Part::Block(Block { info: info.to_owned(), text: inside.join("\n") }));
            } else if line.starts_with('#') {
                let title = line.trim_start_matches('#').trim().to_owned();
                sections.push(Section { title, parts: Vec::new() });
            } else if line.starts_with('|') {
                let mut table = Table { columns: cells(line), rows: Vec::new() };
                while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
                    table.rows.push(cells(line));
                }
                table.rows.remove(0);
                section.parts.push(Part::Table(table));
            }
        }
        Self { sections }
    }

    /// Each section with a table, as often as it has one.
    pub(crate) fn titles_of_tables(&self) -> Vec<&str> {
        let tables = self.sections.iter().flat_map(|section| {
            section.parts.iter().filter(|part| matches!(part, Part::Table(_))).map(|_| section.title.as_str())
        });
        tables.collect()
    }

    /// The tables of a section.
    pub(crate) fn tables(&self, title: &str) -> Vec<Table> {
        let sections = self.sections.iter().filter(|section| section.title == title);
        let tables = sections.flat_map(|section| &section.parts).filter_map(|part| match part {
            Part::Table(table) => Some(table.clone()),
            Part::Block(_) => None,
        });
        tables.collect()
    }

    /// The table of a section with this first column.
    pub(crate) fn table(&self, title: &str, first_column: &str) -> Table {
        let mut tables = self.tables(title);
        tables.retain(|table| table.columns[0] == first_column);
        assert_eq!(tables.len(), 1, "tables of {first_column:?} under {title:?}");
        tables.remove(0)
    }

    /// Every fenced block.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let blocks = self.sections.iter().flat_map(|section| &section.parts).filter_map(|part| match part {
            Part::Block(block) => Some(block.clone()),
            Part::Table(_) => None,
        });
        blocks.collect()
    }

    /// The fenced block with this after its fence, if there is exactly one.
    pub(crate) fn block(&self, info: &str) -> Option<Block> {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.info == info);
        if blocks.len() == 1 { blocks.pop() } else { None }
    }

    /// The table that stands next after the fenced block with this after its fence, before any other block.
    pub(crate) fn table_after(&self, info: &str) -> Option<Table> {
        let parts: Vec<&Part> = self.sections.iter().flat_map(|section| &section.parts).collect();
        let at = parts.iter().position(|part| matches!(part, Part::Block(block) if block.info == info))?;
        match parts.get(at + 1)? {
            Part::Table(table) => Some(table.clone()),
            Part::Block(_) => None,
        }
    }
}

impl Table {
    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> usize {
        let found = self.columns.iter().position(|column| column == name);
        found.unwrap_or_else(|| panic!("no column {name:?} in {:?}", self.columns))
    }

    /// The cells of one column.
    pub(crate) fn cells(&self, column: &str) -> Vec<&str> {
        let at = self.column(column);
        self.rows.iter().map(|row| row[at].as_str()).collect()
    }

    /// The cell in the row that begins with `first`.
    pub(crate) fn cell(&self, first: &str, column: &str) -> &str {
        let row = self.rows.iter().find(|row| row[0] == first);
        let row = row.unwrap_or_else(|| panic!("no row {first:?} in {:?}", self.cells(&self.columns[0])));
        &row[self.column(column)]
    }
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
}

#[test]
fn every_row_of_every_table_has_all_its_cells() {
    let page = Page::read();
    let mut titles = page.titles_of_tables();
    assert!(titles.len() > 20, "{titles:?}");
    titles.dedup();
    for table in titles.into_iter().flat_map(|title| page.tables(title)) {
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{row:?}");
        }
    }
}
