//! The services of `docker-compose.yml` as plain processes: what each is told, with other hosts, ports and folders.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bellwether_tests::{Binary, Launch, Output, Port, Program, RabbitMq, eventually, fleet, folder};
use serde_json::Value;
use tempfile::TempDir;

use crate::compose::{Compose, Service};
use crate::files::Files;

const PASSWORD: &str = "5e5a3e";
const KEY: &str = "9f0d2c5b8a7e4f31b6c09d8e7f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a";
const COMMAND: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_push_through_the_one_port_succeeds_also_while_a_controller_is_gone() {
    let fleet = Composed::start().await;

    let first = fleet.push("shop").await;
    assert_eq!((first.code, applied(&first)), (0, 3), "{first:#?}");
    for agent in ["node-1", "node-2", "node-3"] {
        assert!(fleet.folder.path().join(agent).join("current/ingress.json").is_file(), "{agent}");
    }
    let keyless = fleet.asked_without_a_key("/v1/agents");
    assert!(keyless.contains(" 401 "), "{keyless}");

    // At once, while HAProxy still counts on it: a request that finds nobody goes to the other.
    fleet.controllers[0].kill().await;
    for config in ["shop", "cart", "mail", "blog"] {
        let pushed = fleet.push(config).await;
        assert_eq!((pushed.code, applied(&pushed)), (0, 3), "{pushed:#?}");
    }
    fleet.is_healthy("haproxy").await;
}

#[tokio::test]
async fn when_no_controller_is_ready_its_own_answer_says_why() {
    let fleet = Composed::start().await;
    fleet.redis.kill().await;
    eventually("HAProxy asks who lives, as nobody is ready", async || {
        let answer = fleet.bellwether("", &["agents"]).await;
        let said = answer.stderr.to_lowercase();
        if answer.code == 1 && said.contains("redis") { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert_ne!(fleet.health("haproxy").await.code, 0);
    assert_ne!(fleet.health("controller-1").await.code, 0);
    assert_eq!(fleet.health("node-1").await.code, 0, "an agent does without Redis");
}

#[tokio::test]
async fn a_copy_of_the_append_only_folder_is_a_backup() {
    let fleet = Composed::start().await;
    assert_eq!(fleet.push("shop").await.code, 0);
    // As docs/operations.md has it: while Redis runs and the fleet beats.
    let backup = folder("backup");
    let data = fleet.folder.path().join("redis");
    let copy = "tar -C \"$0\" -cf - appendonlydir | tar -C \"$1\" -xf -";
    let copied = Command::new("sh").args(["-c", copy]).arg(&data).arg(backup.path()).status();
    assert!(copied.expect("a shell").success());

    let port = Port::claim();
    let _restored = redis(&fleet.compose.services["redis"], &port, backup.path()).start();
    let client = ::redis::Client::open(format!("redis://:{PASSWORD}@{}/", port.address())).expect("a URL");
    let keys = eventually("the copy is loaded", async || {
        let mut connection =
            client.get_multiplexed_async_connection().await.map_err(|error| error.to_string())?;
        let keys: Vec<String> = ::redis::cmd("KEYS")
            .arg("bw:*")
            .query_async(&mut connection)
            .await
            .map_err(|error| error.to_string())?;
        if keys.is_empty() { Err("nothing in it".to_owned()) } else { Ok(keys) }
    })
    .await;
    assert!(keys.iter().any(|key| key.contains(&fleet.name)), "{keys:?}");
}

/// All services, each a process; ended with the value.
struct Composed {
    name: String,
    compose: Compose,
    places: Places,
    haproxy: Program,
    controllers: Vec<Program>,
    agents: Vec<Program>,
    redis: Program,
    folder: TempDir,
}

/// Where they listen here.
struct Places {
    amqp: u16,
    /// Of each service that listens, but RabbitMQ.
    ports: BTreeMap<String, Port>,
}

impl Composed {
    /// Starts all, in the order of the file, and waits as Compose does.
    async fn start() -> Self {
        let (name, folder) = (fleet(), folder("composed"));
        let compose = Compose::read(&Files::read().compose, |variable| match variable {
            "BELLWETHER_FLEET" => Some(name.clone()),
            "RABBITMQ_PASSWORD" | "REDIS_PASSWORD" => Some(PASSWORD.to_owned()),
            _ => None,
        });
        let compose = compose.expect("it is as the other tests have it");
        let rabbitmq = RabbitMq::shared().await;
        let _ = USER.get_or_init(|| add_user(rabbitmq, &compose.services["rabbitmq"])).await;
        fs::write(folder.path().join("api-key"), format!("{KEY}\n")).expect("our own folder");
        let ports = compose.services.keys().map(|service| (service.clone(), Port::claim())).collect();
        let places = Places { amqp: rabbitmq.port(), ports };

        let redis =
            redis(&compose.services["redis"], &places.ports["redis"], &folder.path().join("redis")).start();
        let mut controllers = Vec::new();
        for (service, it) in compose.built_from("controller") {
            controllers.push(places.launch(service, it, folder.path()).await.start());
        }
        let mut agents = Vec::new();
        for (service, it) in compose.built_from("agent") {
            agents.push(places.launch(service, it, folder.path()).await.start());
        }
        let haproxy = places.haproxy(folder.path()).start();
        let composed = Self { name, compose, places, haproxy, controllers, agents, redis, folder };
        for service in composed.compose.services.keys().filter(|service| *service != "rabbitmq") {
            composed.is_healthy(service).await;
        }
        eventually("all three are online", async || {
            let agents = composed.bellwether("", &["agents", "--output", "json"]).await;
            let online = agents.stdout.matches("\"online\"").count();
            if online == 3 { Ok(()) } else { Err(format!("{agents:?}")) }
        })
        .await;
        composed
    }

    fn url(&self) -> String {
        format!("http://{}", self.places.ports["haproxy"].address())
    }

    async fn push(&self, config: &str) -> Output {
        let document = format!(
            "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {config}}}\nspec:\n  \
             listeners: [{{name: {config}, port: {}, protocol: HTTP}}]\n",
            8080 + config.bytes().map(u16::from).sum::<u16>()
        );
        self.bellwether(&document, &["push", "-", "--output", "json"]).await
    }

    /// The command, by the one port and with the key.
    async fn bellwether(&self, stdin: &str, args: &[&str]) -> Output {
        let command = Launch::of(Binary::Cli).await.args(["--server", &self.url()]).stdin(stdin);
        let command = command.arg("--api-key-file").arg(self.folder.path().join("api-key"));
        command.args(args).run_to_end(COMMAND).await
    }

    /// The answer's first line.
    fn asked_without_a_key(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.places.ports["haproxy"].address()).expect("it listens");
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("it answers");
        line
    }

    async fn is_healthy(&self, service: &str) {
        eventually(format!("{service} is healthy"), async || {
            let health = self.health(service).await;
            if health.code == 0 { Ok(()) } else { Err(format!("{health:?}")) }
        })
        .await;
    }

    /// What a service's health check ends with.
    async fn health(&self, name: &str) -> Output {
        let service = &self.compose.services[name];
        let health = match service.health() {
            [script] => self.places.at_home(name, Launch::program("sh").args(["-c"]), script),
            [bash, option, script] if bash == "bash" => {
                self.places.at_home(name, Launch::program("bash").arg(option), script)
            }
            [program, args @ ..] => {
                let launch = Launch::of(named(program)).await.args(args);
                launch.envs(self.places.environment(name, service, self.folder.path()))
            }
            [] => panic!("{name} has no health check"),
        };
        health.env("REDISCLI_AUTH", PASSWORD).run_to_end(COMMAND).await
    }
}

impl Drop for Composed {
    /// A test that fails shows what the processes said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for program in
                [&self.haproxy, &self.redis].into_iter().chain(&self.controllers).chain(&self.agents)
            {
                eprintln!("--- {}:\n{}", program.log_file().display(), program.log());
            }
        }
    }
}

impl Places {
    /// A program of ours, told what its service tells it.
    async fn launch(&self, name: &str, service: &Service, folder: &Path) -> Launch {
        let program = named(&format!("bellwether-{}", service.build.as_ref().map_or("", |it| &it.target)));
        Launch::of(program).await.args(&service.command).envs(self.environment(name, service, folder))
    }

    /// The environment of a service, with the hosts, ports and folders of here.
    fn environment(&self, name: &str, service: &Service, folder: &Path) -> Vec<(String, String)> {
        let here = |path: &str| folder.join(path).display().to_string();
        let value = |variable: &str, value: &str| match variable {
            "BELLWETHER_LISTEN" | "BELLWETHER_HEALTH_LISTEN" => {
                let ip = value.split(':').next().unwrap_or_default();
                format!("{ip}:{}", self.ports[name].number())
            }
            "BELLWETHER_STATE_DIR" => here(name),
            _ => value
                .replace("/run/secrets/", &here(""))
                .replace("@rabbitmq:5672", &format!("@127.0.0.1:{}", self.amqp))
                .replace("@redis:6379", &format!("@{}", self.ports["redis"].address())),
        };
        let told = service.environment.iter();
        told.map(|(variable, told)| (variable.clone(), value(variable, told))).collect()
    }

    /// HAProxy with the configuration as it stands, but for where it listens and where the controllers do.
    fn haproxy(&self, folder: &Path) -> Launch {
        let mut configuration = Files::read().haproxy;
        for (service, port) in &self.ports {
            configuration =
                configuration.replace(&format!(" {service}:7400"), &format!(" {}", port.address()));
        }
        let bind = format!("bind {}", self.ports["haproxy"].address());
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration.replace("bind :7400", &bind)).expect("our own folder");
        Launch::program(haproxy()).args(["-db", "-f"]).arg(file)
    }

    /// A health check's script, with the port of here.
    fn at_home(&self, name: &str, launch: Launch, script: &str) -> Launch {
        let port = self.ports[name].number().to_string();
        launch.arg(script.replace("7400", &port).replace("6379", &port))
    }
}

static USER: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();

/// The user that the image would make.
async fn add_user(rabbitmq: &RabbitMq, service: &Service) {
    let told = |variable: &str| service.environment[variable].as_str();
    let user = told("RABBITMQ_DEFAULT_USER");
    rabbitmq.ctl(&["add_user", user, told("RABBITMQ_DEFAULT_PASS")]).await;
    rabbitmq.ctl(&["set_permissions", user, ".*", ".*", ".*"]).await;
}

/// Redis as its service starts it, with the configuration as it stands, but for its port and its folder.
fn redis(service: &Service, port: &Port, data: &Path) -> Launch {
    fs::create_dir_all(data).expect("our own folder");
    let [program, _, options @ ..] = service.command.as_slice() else { panic!("{:?}", service.command) };
    let configuration = data.with_extension("conf");
    let here = Files::read().redis.replace("dir /data", &format!("dir {}", data.display()));
    fs::write(&configuration, here).expect("our own folder");
    let launch = Launch::program(installed(program)).arg(configuration).args(options);
    launch.args(["--bind", "127.0.0.1", "--port", &port.number().to_string()])
}

fn applied(pushed: &Output) -> u64 {
    let rollout: Value =
        serde_json::from_str(&pushed.stdout).unwrap_or_else(|error| panic!("{error}: {pushed:#?}"));
    rollout["verdicts"]["applied"].as_u64().unwrap_or_default()
}

fn named(program: &str) -> Binary {
    let ours = [Binary::Controller, Binary::Agent, Binary::Cli];
    ours.into_iter()
        .find(|ours| ours.name() == program)
        .unwrap_or_else(|| panic!("{program} is none of ours"))
}

/// Where HAProxy stands.
pub(crate) fn haproxy() -> PathBuf {
    installed("haproxy")
}

fn installed(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files =
        std::env::split_paths(&path).chain(["/usr/sbin".into()]).map(|folder| folder.join(program));
    files
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed: run scripts/install"))
}
