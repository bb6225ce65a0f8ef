//! What a service becomes: its trait, its client, its dispatch, and a type for each method.

use crate::definition::{Method, Service};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

pub(crate) fn expand(service: &Service) -> TokenStream {
    let (server, client, everyone) = (server(service), client(service), everyone(service));
    let markers = service.methods.iter().map(|method| marker(service, method));
    quote! { #server #client #everyone #(#markers)* }
}

/// The trait that a server implements, with the way from it to a router.
fn server(service: &Service) -> TokenStream {
    let Service { attributes, visibility, name, methods } = service;
    let functions = methods.iter().map(handler);
    let routes = methods.iter().map(route);
    quote! {
        #(#attributes)*
        #visibility trait #name: ::core::marker::Send + ::core::marker::Sync + ::core::marker::Sized + 'static {
            #(#functions)*

            /// The methods of this service, answered by this.
            #[must_use]
            fn router(self) -> ::bellwether_rpc::Router {
                let service = ::std::sync::Arc::new(self);
                ::bellwether_rpc::Router::new() #(#routes)*
            }
        }
    }
}

/// What a server implements of one method.
fn handler(method: &Method) -> TokenStream {
    let Method { attributes, function, marker, context, request, returns, queued, .. } = method;
    if *queued {
        return quote! {
            #(#attributes)*
            fn #function(&self, call: ::bellwether_rpc::Call<#marker>);
        };
    }
    let request = request.as_ref().map(|(name, kind)| quote! { #name: #kind });
    quote! {
        #(#attributes)*
        fn #function(&self, #context, #request)
            -> impl ::core::future::Future<Output = #returns> + ::core::marker::Send;
    }
}

/// How one method's requests come to its handler.
fn route(method: &Method) -> TokenStream {
    let Method { function, marker, request, reply, queued, .. } = method;
    if *queued {
        return quote! { .queued::<#marker>({ let service = service.clone(); move |call| service.#function(call) }) };
    }
    let argument = request.as_ref().map(|_| quote! { request });
    let taken = argument.clone().unwrap_or_else(|| quote! { _ });
    let empty = reply.is_none().then(|| quote! { .map(|()| ::bellwether_rpc::Empty {}) });
    quote! {
        .on::<#marker, _, _>({
            let service = service.clone();
            move |cx, #taken| {
                let service = service.clone();
                async move { service.#function(&cx, #argument).await #empty }
            }
        })
    }
}

/// The typed client of one address.
fn client(service: &Service) -> TokenStream {
    let Service { visibility, name, methods, .. } = service;
    let client = format_ident!("{name}Client");
    let about = format!("Calls [`{name}`] at one address.");
    let mut names = methods.iter().map(|method| &method.wire_name).collect::<Vec<_>>();
    names.sort_unstable();
    let calls = methods.iter().map(call);
    let notifications = methods.iter().filter(|method| method.notifiable).map(notification);
    quote! {
        #[doc = #about]
        #[derive(Clone)]
        #visibility struct #client {
            connection: ::bellwether_rpc::Connection,
            address: ::bellwether_rpc::Address,
        }

        impl #client {
            /// The names of the methods on the wire, sorted.
            pub const METHODS: &'static [&'static str] = &[#(#names),*];

            /// A client over this connection, of whoever answers at this address.
            #[must_use]
            pub fn new(connection: ::bellwether_rpc::Connection, address: ::bellwether_rpc::Address) -> Self {
                Self { connection, address }
            }

            /// The address that is called.
            #[must_use]
            pub fn address(&self) -> &::bellwether_rpc::Address {
                &self.address
            }

            #(#calls)*
            #(#notifications)*
        }
    }
}

fn call(method: &Method) -> TokenStream {
    let Method { function, marker, .. } = method;
    let docs = docs(method);
    let (parameter, argument, reply, empty) = signature(method);
    quote! {
        #(#docs)*
        ///
        /// # Errors
        /// Every way a call can end other than well.
        pub async fn #function(
            &self,
            #parameter
            scope: impl ::core::convert::Into<::bellwether_rpc::Scope>,
        ) -> ::core::result::Result<#reply, ::bellwether_rpc::CallError> {
            self.connection.call::<#marker>(&self.address, #argument, scope).await #empty
        }
    }
}

fn notification(method: &Method) -> TokenStream {
    let Method { function, marker, .. } = method;
    let notify = format_ident!("notify_{function}");
    let about = format!(
        "[`{function}`](Self::{function}) without asking for an answer. It is worthless after `scope`'s deadline."
    );
    let (parameter, argument, ..) = signature(method);
    quote! {
        #[doc = #about]
        ///
        /// # Errors
        /// When it could not, or perhaps not, be handed to the broker.
        pub async fn #notify(
            &self,
            #parameter
            scope: impl ::core::convert::Into<::bellwether_rpc::Scope>,
        ) -> ::core::result::Result<(), ::bellwether_rpc::CallError> {
            self.connection.notify::<#marker>(&self.address, #argument, scope).await
        }
    }
}

/// The typed client of every peer.
fn everyone(service: &Service) -> TokenStream {
    let Service { visibility, name, methods, .. } = service;
    let everyone = format_ident!("Every{name}");
    let about = format!("Calls every peer that serves [`{name}`], by one publish.");
    let calls = methods.iter().map(|method| {
        let Method { function, marker, .. } = method;
        let docs = docs(method);
        let (parameter, argument, ..) = signature(method);
        quote! {
            #(#docs)*
            ///
            /// Each of `peers` has one outcome. Whoever else hears it is not waited for.
            ///
            /// # Errors
            /// When nothing was sent, or perhaps nothing.
            pub async fn #function(
                &self,
                #parameter
                peers: impl ::core::iter::IntoIterator<Item = ::bellwether_rpc::Peer>,
                scope: impl ::core::convert::Into<::bellwether_rpc::Scope>,
            ) -> ::core::result::Result<::bellwether_rpc::Outcomes<#marker>, ::bellwether_rpc::CallError> {
                self.connection.call_everyone::<#marker>(&self.service, #argument, peers, scope).await
            }
        }
    });
    quote! {
        #[doc = #about]
        #[derive(Clone)]
        #visibility struct #everyone {
            connection: ::bellwether_rpc::Connection,
            service: ::std::sync::Arc<str>,
        }

        impl #everyone {
            /// A client over this connection, of every peer of `service`.
            #[must_use]
            pub fn new(
                connection: ::bellwether_rpc::Connection,
                service: impl ::core::convert::Into<::std::sync::Arc<str>>,
            ) -> Self {
                Self { connection, service: service.into() }
            }

            #(#calls)*
        }
    }
}

/// The parameter of a caller, the argument it is passed on as, what comes back, and how nothing is read from it.
fn signature(method: &Method) -> (Option<TokenStream>, TokenStream, TokenStream, Option<TokenStream>) {
    let parameter = method.request.as_ref().map(|(name, kind)| quote! { #name: &#kind, });
    let argument = match &method.request {
        Some((name, _)) => name.to_token_stream(),
        None => quote! { &::bellwether_rpc::Empty {} },
    };
    let reply = method.reply.as_ref().map_or_else(|| quote! { () }, ToTokens::to_token_stream);
    let empty = method.reply.is_none().then(|| quote! { .map(|::bellwether_rpc::Empty {}| ()) });
    (parameter, argument, reply, empty)
}

/// The type that stands for one method.
fn marker(service: &Service, method: &Method) -> TokenStream {
    let Method { marker, wire_name, notifiable, largest, request, reply, .. } = method;
    let largest = largest.as_ref().map(|bytes| quote! { const LARGEST_REQUEST: usize = #bytes; });
    let visibility = &service.visibility;
    let docs = docs(method);
    let empty = || quote! { ::bellwether_rpc::Empty };
    let request = request.as_ref().map_or_else(empty, |(_, kind)| kind.to_token_stream());
    let reply = reply.as_ref().map_or_else(empty, ToTokens::to_token_stream);
    quote! {
        #(#docs)*
        #[derive(Clone, Copy, Debug)]
        #visibility struct #marker;

        impl ::bellwether_rpc::Method for #marker {
            const NAME: &'static str = #wire_name;
            const NOTIFIABLE: bool = #notifiable;
            #largest
            type Request = #request;
            type Reply = #reply;
        }
    }
}

fn docs(method: &Method) -> impl Iterator<Item = &syn::Attribute> {
    method.attributes.iter().filter(|attribute| attribute.path().is_ident("doc"))
}
