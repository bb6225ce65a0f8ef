//! The import rules of the design hold, and the checks behind that bite.

use bellwether_tests::imports::{imports_and_code, names_library, starts_a_path};
use bellwether_tests::workspace::{self, SourceFile};
use toml::{Table, Value};

/// Each package, and how many of those before it it may use, however it uses them. A benchmark may start its servers
/// with the tests' harness.
const LAYERS: [(&str, usize); 11] = [
    ("bellwether-rpc-macros", 0),
    ("bellwether-rpc", 1),
    ("bellwether-ingress", 0),
    ("bellwether-proto", 3),
    ("bellwether-program", 0),
    ("bellwether-controller", 5),
    ("bellwether-agent", 5),
    ("bellwether", 7),
    ("bellwether-tests", 8),
    ("bellwether-bench", 9),
    ("bellwether-fuzz", 3),
];

/// A library of others, the packages that may list it, and the only places of theirs that may name it.
const CONFINED: [(&str, &[&str], &[&str]); 2] = [
    ("lapin", &["bellwether-rpc"], &["rpc/src/transport/amqp.rs", "rpc/src/transport/amqp/"]),
    (
        "redis",
        &["bellwether-controller"],
        &[
            "controller/src/registry/redis.rs",
            "controller/src/registry/redis/",
            "controller/src/store/redis.rs",
            "controller/src/store/redis/",
        ],
    ),
];
/// Baselines and harnesses go to the servers directly.
const UNCONFINED: [&str; 2] = ["bellwether-tests", "bellwether-bench"];

/// What a pure crate does without.
const INPUT_AND_OUTPUT: [&str; 6] =
    ["tokio", "bellwether_rpc", "std::fs", "std::net::Tcp", "std::net::Udp", "std::process"];

#[test]
fn every_package_uses_only_what_stands_below_it() {
    holds(|file| if is_manifest(file) { wrong_dependencies(&file.text) } else { Vec::new() });
}

#[test]
fn lapin_and_redis_are_named_in_their_places_only() {
    holds(|file| if is_rust(file) { names_outside_their_place(&file.path, &file.text) } else { Vec::new() });
}

#[test]
fn ingress_does_no_input_or_output() {
    let of_ingress = |file: &SourceFile| is_rust(file) && file.path.starts_with("ingress/src/");
    holds(|file| if of_ingress(file) { input_and_output(&file.text) } else { Vec::new() });
}

#[test]
fn every_source_file_says_first_what_it_is_for() {
    holds(|file| if is_rust(file) { wrong_form(&file.path, &file.text) } else { Vec::new() });
}

#[test]
fn nothing_outside_the_project_is_named() {
    holds(|file| names_outside(&file.text));
}

fn holds(check: impl Fn(&SourceFile) -> Vec<String>) {
    let files = workspace::files();
    assert!(files.iter().any(|file| file.path == "tests/tests/architecture.rs"), "the files are not found");
    let wrong =
        files.iter().flat_map(|file| check(file).into_iter().map(|what| format!("{}: {what}", file.path)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_manifest(file: &SourceFile) -> bool {
    file.path.ends_with("/Cargo.toml")
}

fn is_rust(file: &SourceFile) -> bool {
    file.path.ends_with(".rs")
}

// The checks: each takes a file's text, and gives what is wrong with it.

fn wrong_dependencies(manifest: &str) -> Vec<String> {
    let manifest: Table = match manifest.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![error.to_string()],
    };
    let package = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let package = package.unwrap_or_default();
    let Some((_, count)) = LAYERS.iter().find(|(name, _)| *name == package) else {
        return vec![format!("package {package:?} has no layer")];
    };
    let below = &LAYERS[..*count];
    let forbidden = |name: &str| {
        let above = name.starts_with("bellwether") && !below.iter().any(|(allowed, _)| *allowed == name);
        let confined =
            CONFINED.iter().any(|(library, users, _)| *library == name && !users.contains(&package));
        let beneath_tokio = package == "bellwether-ingress" && name.starts_with("tokio");
        above || (confined && !UNCONFINED.contains(&package)) || beneath_tokio
    };
    let dependencies = dependencies(&manifest).into_iter();
    dependencies.filter(|name| forbidden(name)).map(|name| format!("{package} must not use {name}")).collect()
}

/// All packages a manifest lists, for whatever purpose and platform, under their real names.
fn dependencies(manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in manifest {
        match value.as_table() {
            Some(listed) if key.ends_with("dependencies") => found.extend(listed.iter().map(real_name)),
            Some(platforms) if key == "target" => {
                found.extend(platforms.values().filter_map(Value::as_table).flat_map(dependencies));
            }
            _ => {}
        }
    }
    found
}

fn real_name((key, value): (&String, &Value)) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
}

fn names_outside_their_place(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("tests/") || path.starts_with("bench/") {
        return Vec::new();
    }
    let at_home = |places: &[&str]| places.iter().any(|place| path == *place || is_below(path, place));
    let strangers =
        CONFINED.iter().filter(|(library, _, places)| !at_home(places) && names_library(text, library));
    strangers.map(|(library, ..)| format!("{library} has its own place")).collect()
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.ends_with('/') && path.starts_with(folder)
}

fn input_and_output(text: &str) -> Vec<String> {
    let (imports, code) = imports_and_code(text);
    let named =
        |what: &&&str| imports.iter().any(|path| path.starts_with(**what)) || starts_a_path(&code, what);
    INPUT_AND_OUTPUT.iter().filter(named).map(|what| format!("{what} in a pure crate")).collect()
}

fn wrong_form(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if path.ends_with("/mod.rs") {
        wrong.push("`foo.rs` beside `foo/`, never mod.rs".to_owned());
    }
    if !text.starts_with("//!") {
        wrong.push("does not begin with what it is for (`//!`)".to_owned());
    }
    wrong
}

fn names_outside(text: &str) -> Vec<String> {
    // In pieces, or this file would name them.
    let outside = [["..", "/shared"].concat(), ["/work", "/shared"].concat()];
    outside
        .into_iter()
        .filter(|path| text.contains(path.as_str()))
        .map(|path| format!("names {path}"))
        .collect()
}

// The checks bite.

#[test]
fn a_wrong_dependency_is_found_in_whatever_list_it_stands() {
    let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
    let wrong = [
        manifest("bellwether-controller", "[dependencies]\nbellwether-agent.workspace = true"),
        manifest(
            "bellwether-agent",
            "[dev-dependencies]\nbellwether-controller = { path = \"../controller\" }",
        ),
        manifest("bellwether-agent", "[build-dependencies]\nredis = \"1\""),
        manifest(
            "bellwether-proto",
            "[target.'cfg(unix)'.dependencies]\nbellwether-controller.workspace = true",
        ),
        manifest(
            "bellwether-rpc",
            "[dependencies]\ningress = { package = \"bellwether-ingress\", path = \"../ingress\" }",
        ),
        manifest("bellwether-ingress", "[dependencies]\ntokio.workspace = true"),
        manifest("bellwether-controller", "[dependencies]\nlapin.workspace = true"),
        manifest("bellwether", "[dependencies]\nbellwether-tests.workspace = true"),
        manifest("bellwether-new", ""),
    ];
    for manifest in wrong {
        assert_eq!(wrong_dependencies(&manifest).len(), 1, "{manifest}");
    }
    let right =
        manifest("bellwether-agent", "[dependencies]\nbellwether-rpc.workspace = true\ntokio = \"1\"");
    assert_eq!(wrong_dependencies(&right), Vec::<String>::new());
}

#[test]
fn a_library_out_of_its_place_is_found() {
    let wrong = [
        ("rpc/src/server.rs", "use lapin::Channel;"),
        ("rpc/src/server.rs", "fn f() -> lapin::Result<()> {}"),
        ("rpc/src/transport/amqp_settings.rs", "pub(crate) use lapin;"),
        ("controller/src/main.rs", "const FILTER: &str = \"lapin::returned_messages=error\";"),
        ("controller/src/registry.rs", "use {std::time, redis::Client};"),
        ("controller/src/registry.rs", "mod redis;\nfn f(client: ::redis::Client) {}"),
        ("controller/src/store.rs", "fn f() {\n    redis::cmd(\"GET\");\n}"),
        ("agent/src/main.rs", "use ::redis as database;"),
    ];
    for (path, text) in wrong {
        assert_eq!(names_outside_their_place(path, text).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_library_in_its_place_and_a_module_of_its_name_are_no_fault() {
    let right = [
        ("rpc/src/transport/amqp.rs", "use lapin::Channel;"),
        ("rpc/src/transport/amqp/publish.rs", "use lapin::Channel;"),
        ("controller/src/store/redis.rs", "use redis::Client;"),
        (
            "controller/src/registry.rs",
            "mod redis;\n\npub use self::redis::RedisRegistry;\nfn f(r: redis::RedisRegistry) {}",
        ),
        (
            "controller/src/main.rs",
            "use bellwether_controller::{\n    store::{memory::Memory, redis::RedisStore},\n};",
        ),
        ("controller/src/main.rs", "let url = \"redis://127.0.0.1:6379/\"; // as redis::Client reads it"),
        ("controller/src/main.rs", "//! Unlike redis::Client.\nfn f(r: registry::redis::RedisRegistry) {}"),
        ("bench/src/beats.rs", "use redis::Client;"),
    ];
    for (path, text) in right {
        assert_eq!(names_outside_their_place(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn input_and_output_in_ingress_is_found() {
    for text in [
        "use std::{fmt, fs::File};",
        "let x = std::fs::read(path);",
        "use tokio::time;",
        "std::net::TcpStream::connect(x)",
    ] {
        assert_eq!(input_and_output(text).len(), 1, "{text}");
    }
    assert_eq!(
        input_and_output("use std::net::IpAddr;\n/// Not std::fs.\nlet tokio_like = 1;"),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_of_the_wrong_form_is_found() {
    assert_eq!(wrong_form("rpc/src/transport/mod.rs", "//! Transports.").len(), 1);
    assert_eq!(wrong_form("rpc/src/server.rs", "use std::time;").len(), 1);
    assert_eq!(wrong_form("rpc/src/server.rs", "//! Serves."), Vec::<String>::new());
}

#[test]
fn a_path_out_of_the_project_is_found() {
    assert_eq!(names_outside(&format!("see {}{}/cases", "..", "/shared")).len(), 1);
    assert_eq!(names_outside("a queue shared by all"), Vec::<String>::new());
}
