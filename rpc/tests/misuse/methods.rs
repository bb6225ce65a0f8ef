//! Methods that are no methods of a service.

use bellwether_rpc::{Context, Fault, service};

#[service]
pub trait Wrong {
    fn not_async(&self, cx: &Context, text: String) -> Result<String, Fault>;

    async fn without_self(cx: &Context, text: String) -> Result<String, Fault>;

    async fn without_context(&self, text: String) -> Result<String, Fault>;

    async fn by_reference(&self, cx: &Context, text: &str) -> Result<String, Fault>;

    async fn two_requests(&self, cx: &Context, one: String, two: String) -> Result<String, Fault>;

    async fn without_result(&self, cx: &Context, text: String) -> String;

    async fn with_parameters<T>(&self, cx: &Context, text: T) -> Result<String, Fault>;

    async fn with_body(&self, cx: &Context) -> Result<(), Fault> {
        Ok(())
    }

    #[method(nickname = "Nick")]
    async fn unknown_option(&self, cx: &Context) -> Result<(), Fault>;

    #[method(name = "")]
    async fn without_name(&self, cx: &Context) -> Result<(), Fault>;

    const NUMBER: u32;
}

fn main() {}
