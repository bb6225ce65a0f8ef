//! `completion`: a script for each shell.

use crate::command::{bellwether, run};

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let mut command = bellwether();
        command.args(["completion", shell]);
        let ran = run(command);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for command in ["bellwether", "push", "rollouts"] {
            assert!(ran.stdout.contains(command), "{shell}: {command}");
        }
    }
}
