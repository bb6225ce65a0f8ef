//! What is wrong with the files, judged by the programs' own help and by each other.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_tests::workspace;

use crate::compose::{self, Compose, Service};
use crate::dockerfile::{self, Stage, words};
use crate::files::{Files, members, of_the_workspace};
use crate::programs::Programs;
use crate::proxy;

/// What the others listen on, when nothing else is said.
const PORTS: [(&str, &str); 3] = [("rabbitmq", "5672"), ("rabbitmq", "15672"), ("redis", "6379")];
/// The targets of the Dockerfile, each with the variable of the address that its health is asked at.
const TARGETS: [(&str, &str); 2] =
    [("controller", "BELLWETHER_LISTEN"), ("agent", "BELLWETHER_HEALTH_LISTEN")];

impl Files {
    /// Everything that is wrong; nothing, if all is well.
    pub(crate) fn faults(&self, programs: &Programs) -> Vec<String> {
        let compose = match Compose::read(&self.compose, |_| Some("filled-in".to_owned())) {
            Ok(compose) => compose,
            Err(error) => return vec![format!("docker-compose.yml: {error}")],
        };
        let stages = dockerfile::stages(&self.dockerfile);
        let judge = Judge { files: self, compose, stages, programs, faults: Vec::new() };
        judge.faults()
    }
}

struct Judge<'a> {
    files: &'a Files,
    compose: Compose,
    stages: Vec<Stage>,
    programs: &'a Programs,
    faults: Vec<String>,
}

impl Judge<'_> {
    fn faults(mut self) -> Vec<String> {
        let services: Vec<(String, Service)> =
            std::mem::take(&mut self.compose.services).into_iter().collect();
        let names: BTreeSet<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
        for (name, service) in &services {
            self.service(name, service);
            self.references(name, service, &names, &services);
            self.program(name, service);
        }
        self.volumes_are_not_shared(&services);
        self.limits(&services);
        self.compose.services = services.into_iter().collect();
        self.proxy();
        self.example();
        self.images();
        self.build();
        self.faults
    }

    fn wrong_unless(&mut self, right: bool, fault: impl FnOnce() -> String) {
        if !right {
            self.faults.push(fault());
        }
    }

    /// What every service has to say.
    fn service(&mut self, name: &str, service: &Service) {
        self.wrong_unless(service.restart.as_deref() == Some("unless-stopped"), || {
            format!("{name}: no restart policy")
        });
        self.wrong_unless(!service.health().is_empty(), || format!("{name}: no healthcheck"));
        self.wrong_unless(service.mem_limit.is_some(), || format!("{name}: no mem_limit"));
        self.wrong_unless(is_pinned(&service.image), || format!("{name}: {} is not pinned", service.image));
        if service.image.starts_with("rabbitmq:") {
            let mnesia = ["rabbitmq:4.0-", "rabbitmq:4.1-"];
            self.wrong_unless(mnesia.iter().any(|series| service.image.starts_with(series)), || {
                format!("{name}: {} starts on Khepri, which was never tried", service.image)
            });
        }
        for port in &service.ports {
            self.wrong_unless(port.starts_with("127.0.0.1:"), || {
                format!("{name}: {port} is published further than 127.0.0.1")
            });
        }
        for (dependency, how) in &service.depends_on {
            self.wrong_unless(how.condition == "service_healthy", || {
                format!("{name}: waits for {dependency} as {}", how.condition)
            });
        }
    }

    /// What a service names exists: others, their ports, files, volumes, secrets.
    fn references(
        &mut self,
        name: &str,
        service: &Service,
        names: &BTreeSet<&str>,
        services: &[(String, Service)],
    ) {
        for dependency in service.depends_on.keys() {
            self.wrong_unless(names.contains(dependency.as_str()), || {
                format!("{name}: there is no {dependency}")
            });
        }
        let others: Vec<(&str, &str)> = services.iter().flat_map(|(name, it)| ports(name, it)).collect();
        for url in service.environment.values().filter(|value| value.contains("://")) {
            let address = address(url);
            let known = others.iter().any(|(host, port)| address == format!("{host}:{port}"));
            self.wrong_unless(known, || format!("{name}: nothing listens on {address}"));
        }
        for volume in &service.volumes {
            let source = volume.split(':').next().unwrap_or_default();
            let there = match source.strip_prefix("./") {
                Some(path) => workspace::path(path).is_file(),
                None => self.compose.volumes.contains_key(source),
            };
            self.wrong_unless(there, || format!("{name}: there is no volume or file {source}"));
        }
        for (variable, path) in &service.environment {
            let Some(secret) = path.strip_prefix("/run/secrets/") else { continue };
            let granted = service.secrets.iter().any(|granted| granted == secret);
            let made = self.compose.secrets.get(secret).map(|secret| secret.file.as_str());
            let ignored = made.is_some_and(|file| file.starts_with("./deploy/secrets/"));
            self.wrong_unless(granted && ignored, || format!("{name}: {variable} names {path}"));
        }
        let port_of_health = match service.image.split(':').next() {
            Some("redis") => Some("-p 6379 ".to_owned()),
            Some("haproxy") => proxy::port(&self.files.haproxy).map(|port| format!("127.0.0.1/{port} ")),
            _ => None,
        };
        if let Some(port) = port_of_health {
            let test = service.health().join(" ");
            self.wrong_unless(test.contains(&port), || {
                format!("{name}: asked elsewhere than {port}: {test}")
            });
        }
    }

    /// What a program of ours is told, it understands.
    fn program(&mut self, name: &str, service: &Service) {
        let Some(build) = &service.build else { return };
        let version = of_the_workspace("version");
        self.wrong_unless(service.image == format!("bellwether-{}:{version}", build.target), || {
            format!("{name}: {} is not {} of version {version}", service.image, build.target)
        });
        self.wrong_unless(build.context == ".", || format!("{name}: is built in {}", build.context));
        let Some(stage) = self.stages.iter().find(|stage| stage.name == build.target).cloned() else {
            self.faults.push(format!("{name}: the Dockerfile has no target {}", build.target));
            return;
        };
        let program = words(stage.last("ENTRYPOINT").unwrap_or_default()).concat();
        let programs = self.programs;
        let Some(help) = programs.help(&program, "") else { return };
        for flag in service.command.iter().filter(|word| word.starts_with('-')) {
            self.wrong_unless(help.has_flag(flag), || format!("{name}: {program} knows no {flag}"));
        }
        let ours = |variable: &&str| variable.starts_with("BELLWETHER_");
        for variable in service.environment.keys().map(String::as_str).filter(ours) {
            self.wrong_unless(help.has_variable(variable), || {
                format!("{name}: {program} knows no {variable}")
            });
        }
        self.health_check(name, service.health(), &program);
        for (variable, value) in stage.variables() {
            self.wrong_unless(help.has_variable(variable), || {
                format!("Dockerfile: {program} knows no {variable}")
            });
            let told = service.environment.get(variable).map(String::as_str);
            self.wrong_unless(told == Some(value), || {
                format!("{name}: {variable} is {told:?}, in the Dockerfile {value}")
            });
        }
    }

    /// A health check is a subcommand that takes its address where the program takes it.
    fn health_check(&mut self, place: &str, test: &[String], program: &str) {
        let understood = match test {
            [asked, subcommand, flags @ ..] if asked == program => {
                let help = self.programs.help(program, subcommand);
                let address = TARGETS.iter().find(|(target, _)| program.ends_with(target));
                help.is_some_and(|help| {
                    flags.iter().all(|flag| help.has_flag(flag))
                        && address.is_some_and(|(_, variable)| help.has_variable(variable))
                })
            }
            _ => false,
        };
        self.wrong_unless(understood, || format!("{place}: {program} knows no health check {test:?}"));
    }

    /// One state folder an agent, one data folder a server.
    fn volumes_are_not_shared(&mut self, services: &[(String, Service)]) {
        let mut users: BTreeMap<&str, u32> = BTreeMap::new();
        for volume in services.iter().flat_map(|(_, service)| &service.volumes) {
            *users.entry(volume.split(':').next().unwrap_or_default()).or_default() += 1;
        }
        for (volume, users) in users {
            self.wrong_unless(users == 1, || format!("{users} services share {volume}"));
        }
    }

    /// The servers stop taking more before their containers end them, and keep what they have.
    fn limits(&mut self, services: &[(String, Service)]) {
        let limit = |name: &str| {
            let service = services.iter().find(|(service, _)| service == name);
            service.and_then(|(_, service)| service.mem_limit.as_deref()).and_then(mebibytes)
        };
        let (rabbitmq, redis) = (limit("rabbitmq"), limit("redis"));
        let watermark = "vm_memory_high_watermark.absolute";
        let stop = self.files.rabbitmq_setting(watermark).and_then(mebibytes);
        self.wrong_unless(stop.is_some() && stop < rabbitmq, || format!("rabbitmq.conf: {watermark}"));
        let stop = self.files.redis_setting("maxmemory").and_then(mebibytes);
        self.wrong_unless(stop.is_some() && stop < redis, || "redis.conf: maxmemory".to_owned());
        for (name, value) in [("appendonly", "yes"), ("maxmemory-policy", "noeviction"), ("dir", "/data")] {
            let says = self.files.redis_setting(name);
            self.wrong_unless(says == Some(value), || format!("redis.conf: {name} is {says:?}"));
        }
        let transient = "deprecated_features.permit.transient_nonexcl_queues";
        let says = self.files.rabbitmq_setting(transient);
        self.wrong_unless(says == Some("false"), || format!("rabbitmq.conf: {transient} is {says:?}"));
    }

    /// HAProxy has every controller where it listens, asks each in the right way, and is published.
    fn proxy(&mut self) {
        let files = self.files;
        let controllers: BTreeSet<(String, String)> = self
            .compose
            .built_from("controller")
            .flat_map(|(name, it)| ports(name, it))
            .map(|(name, port)| (name.to_owned(), format!("{name}:{port}")))
            .collect();
        self.wrong_unless(controllers.len() == 2, || format!("the controllers are {controllers:?}"));
        let backends = proxy::backends(&files.haproxy);
        for backend in &backends {
            let name = backend.name;
            let servers = backend.servers.iter();
            let servers: BTreeSet<_> =
                servers.map(|(name, to)| ((*name).to_owned(), (*to).to_owned())).collect();
            self.wrong_unless(servers == controllers, || {
                format!("haproxy.cfg: {name} has {servers:?}, not {controllers:?}")
            });
        }
        let checks: Vec<_> = backends.iter().map(|backend| (backend.name, backend.checks)).collect();
        self.wrong_unless(checks == [("ready", "/readyz"), ("alive", "/healthz")], || {
            format!("haproxy.cfg: not /readyz and /healthz: {checks:?}")
        });
        let port = proxy::port(&files.haproxy).unwrap_or_default();
        let published = self.compose.services.get("haproxy").map(|it| it.ports.join(" ")).unwrap_or_default();
        self.wrong_unless(published == format!("127.0.0.1:7400:{port}"), || {
            format!("haproxy: publishes {published}, listens on {port}")
        });
        let asked = format!("[default: http://{}]", published.rsplit_once(':').map_or("", |(it, _)| it));
        let help = self.programs.help("bellwether", "");
        self.wrong_unless(help.is_some_and(|help| help.says(&asked)), || {
            format!("bellwether does not ask {asked} by itself")
        });
    }

    /// `.env.example` names what Compose asks for, and no more; a password is never given.
    fn example(&mut self) {
        let files = self.files;
        let asked = compose::variables(&files.compose);
        let (names, example): (BTreeSet<_>, BTreeMap<_, _>) =
            (asked.iter().map(|(name, _)| *name).collect(), files.example().into_iter().collect());
        let given: BTreeSet<_> = example.keys().copied().collect();
        self.wrong_unless(names == given, || {
            format!(".env.example has {given:?}, Compose asks for {names:?}")
        });
        for (name, _) in asked.iter().filter(|(_, required)| *required) {
            self.wrong_unless(example.get(name).is_none_or(|value| value.is_empty()), || {
                format!(".env.example gives {name} away")
            });
        }
    }

    /// The images hold our programs, are not root, and know how they are.
    fn images(&mut self) {
        let stages = self.stages.clone();
        let outside = stages.iter().filter(|stage| !stages.iter().any(|below| below.name == stage.base));
        for Stage { base, .. } in outside {
            self.wrong_unless(is_pinned(base), || format!("Dockerfile: {base} is not pinned"));
        }
        let rust = format!("rust:{}-", of_the_workspace("rust-version"));
        self.wrong_unless(stages.iter().any(|stage| stage.base.starts_with(&rust)), || {
            let base = stages.first().map(|stage| stage.base.as_str());
            format!("Dockerfile: {base:?} is not the workspace's {rust}")
        });
        for (target, variable) in TARGETS {
            let Some(stage) = stages.iter().find(|stage| stage.name == target) else { continue };
            let program = format!("bellwether-{target}");
            let entry = words(stage.last("ENTRYPOINT").unwrap_or_default()).concat();
            self.wrong_unless(entry == program && self.programs.has(&entry), || {
                format!("Dockerfile: the ENTRYPOINT of {target} is {entry}")
            });
            let user = stage.last("USER").and_then(|user| user.split(':').next()?.parse::<u32>().ok());
            self.wrong_unless(user.is_some_and(|user| user > 0), || {
                format!("Dockerfile: the USER of {target} is {:?}", stage.last("USER"))
            });
            let test = stage.last("HEALTHCHECK").and_then(|check| check.split_once("CMD "));
            self.health_check("Dockerfile", &words(test.map_or("", |(_, test)| test)), &program);
            let listen = stage.variables().find(|(name, _)| *name == variable).map(|(_, address)| address);
            let port = listen.and_then(|address| address.rsplit(':').next());
            let exposed = stage.last("EXPOSE");
            self.wrong_unless(port.is_some() && (exposed.is_none() || exposed == port), || {
                format!("Dockerfile: {target} listens on {listen:?} and exposes {exposed:?}")
            });
        }
        self.programs_are_copied();
    }

    /// All that is built is copied, and nothing else.
    fn programs_are_copied(&mut self) {
        let programs: BTreeSet<&str> = self.programs.names().collect();
        let runs: Vec<String> =
            self.stages.iter().flat_map(|stage| stage.all("RUN")).map(str::to_owned).collect();
        let words = runs.iter().flat_map(|run| run.split_whitespace());
        let pairs = words.clone().zip(words.skip(1));
        let built: BTreeSet<&str> =
            pairs.filter(|(flag, _)| *flag == "-p").map(|(_, package)| package).collect();
        let copies: Vec<String> =
            self.stages.iter().flat_map(|stage| stage.all("COPY")).map(str::to_owned).collect();
        let words = copies.iter().flat_map(|copy| copy.split_whitespace());
        let copied: BTreeSet<&str> = words.filter_map(|word| word.strip_prefix("/out/")).collect();
        self.wrong_unless(built == programs && copied == programs, || {
            format!("Dockerfile: builds {built:?} and copies {copied:?}, not {programs:?}")
        });
    }

    /// The build sees every member of the workspace, and little else.
    fn build(&mut self) {
        let seen: BTreeSet<&str> =
            self.files.dockerignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
        for member in members() {
            let top = member.split('/').next().unwrap_or_default().to_owned();
            self.wrong_unless(seen.contains(top.as_str()), || format!(".dockerignore: hides {member}"));
        }
        let hides_the_rest = self.files.dockerignore.lines().any(|line| line == "*");
        self.wrong_unless(hides_the_rest, || ".dockerignore: shows everything".to_owned());
    }
}

/// Whether an image says which major version it is: by number, or by the name of a Debian.
fn is_pinned(image: &str) -> bool {
    let tag = image.split_once(':').map_or("latest", |(_, tag)| tag);
    tag.starts_with(|first: char| first.is_ascii_digit()) || tag.starts_with("bookworm")
}

/// Where a service listens within the network of the containers.
fn ports<'a>(name: &'a str, service: &'a Service) -> Vec<(&'a str, &'a str)> {
    let listens =
        service.environment.get("BELLWETHER_LISTEN").and_then(|address| address.strip_prefix("0.0.0.0:"));
    let known = PORTS.iter().filter(|(of, _)| *of == name).map(|(_, port)| *port);
    known.chain(listens).map(|port| (name, port)).collect()
}

/// `host:port` of a URL.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// `512m`, `256MiB`, `192mb`.
fn mebibytes(size: &str) -> Option<u32> {
    let size = size.to_ascii_lowercase();
    size.trim_end_matches(['m', 'i', 'b']).parse().ok()
}
