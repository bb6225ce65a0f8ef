//! `docs/protocol.md` says what the code does: every table and example of it is compared with the code, with messages
//! off a real broker, and with two agents, ours and the example in Python.

#[path = "protocol/agents.rs"]
mod agents;
#[path = "protocol/answers.rs"]
mod answers;
#[path = "protocol/beats.rs"]
mod beats;
#[path = "protocol/broker.rs"]
mod broker;
#[path = "protocol/examples.rs"]
mod examples;
#[path = "protocol/fake_agent.rs"]
mod fake_agent;
#[path = "protocol/fake_controller.rs"]
mod fake_controller;
#[path = "protocol/fetching.rs"]
mod fetching;
#[path = "protocol/names.rs"]
mod names;
#[path = "protocol/numbers.rs"]
mod numbers;
#[path = "protocol/page.rs"]
mod page;
#[path = "protocol/properties.rs"]
mod properties;
#[path = "protocol/pushes.rs"]
mod pushes;
#[path = "protocol/python.rs"]
mod python;
#[path = "protocol/tables.rs"]
mod tables;
