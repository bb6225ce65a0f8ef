//! Names under which tests share a server without meeting.

use uuid::Uuid;

/// A fleet's name that no other test has, on any machine.
pub fn fleet() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("t{}", &random[..12])
}
