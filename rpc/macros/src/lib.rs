//! The attribute `service` of `bellwether-rpc`, which documents it where it is exported.
#![deny(missing_docs)]

mod definition;
mod expansion;

use definition::Service;
use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a typed client and a server's dispatch of one trait: see `bellwether_rpc::service`.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, definition: TokenStream) -> TokenStream {
    let arguments = proc_macro2::TokenStream::from(arguments);
    let definition = parse_macro_input!(definition as syn::ItemTrait);
    match Service::read(&arguments, definition) {
        Ok(service) => expansion::expand(&service).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
