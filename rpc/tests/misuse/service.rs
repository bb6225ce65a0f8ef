//! Traits that are no services.

use bellwether_rpc::{Context, Fault, service};

#[service(name = "shop")]
pub trait WithArguments {
    async fn order(&self, cx: &Context) -> Result<(), Fault>;
}

#[service]
pub trait Empty {}

#[service]
pub trait Generic<T>: Clone {
    async fn order(&self, cx: &Context) -> Result<(), Fault>;
}

#[service]
pub trait Twice {
    async fn order(&self, cx: &Context) -> Result<(), Fault>;

    #[method(name = "Order")]
    async fn order_again(&self, cx: &Context) -> Result<(), Fault>;
}

fn main() {}
