//! Writing requests.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Serialize;

use crate::{Error, Result, retry::Repeat};

/// One GraphQL operation, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub struct Operation {
    body: Bytes,
    repeat: Repeat,
    description: String,
}

#[derive(Serialize)]
struct Envelope<'a, V> {
    query: &'a str,
    variables: &'a V,
    #[serde(rename = "operationName", skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a str>,
}

impl Operation {
    /// A query: it may be repeated. `description` completes "failed to …" in errors, for example `list runs of "e/p"`.
    ///
    /// # Errors
    /// When the variables cannot be written as JSON.
    pub fn query<V: Serialize>(
        document: &str,
        operation_name: Option<&str>,
        variables: &V,
        description: impl Into<String>,
    ) -> Result<Self> {
        Self::new(
            document,
            operation_name,
            variables,
            Repeat::Always,
            description.into(),
        )
    }

    /// A mutation; `repeat` says whether sending it twice has the effect of once.
    ///
    /// # Errors
    /// When the variables cannot be written as JSON.
    pub fn mutation<V: Serialize>(
        document: &str,
        operation_name: Option<&str>,
        variables: &V,
        repeat: Repeat,
        description: impl Into<String>,
    ) -> Result<Self> {
        Self::new(document, operation_name, variables, repeat, description.into())
    }

    fn new<V: Serialize>(
        query: &str,
        operation_name: Option<&str>,
        variables: &V,
        repeat: Repeat,
        description: String,
    ) -> Result<Self> {
        let body = serde_json::to_vec(&Envelope {
            query,
            variables,
            operation_name,
        })
        .map_err(|error| {
            Error::invalid_input("the variables cannot be written as JSON")
                .with_source(error)
                .in_operation(description.clone())
        })?;
        Ok(Self {
            body: body.into(),
            repeat,
            description,
        })
    }

    /// Whether it may be repeated.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// What completes "failed to …".
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The HTTP request: `POST` of a JSON object to the GraphQL endpoint. The client adds its headers.
    ///
    /// # Errors
    /// When the URL is not one that HTTP can carry.
    pub fn to_request(&self, url: &str) -> Result<Request<Bytes>> {
        Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body(self.body.clone())
            .map_err(|error| Error::invalid_input("the GraphQL URL is not usable").with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_what_the_protocol_says() {
        let variables = serde_json::json!({"name": "r"});
        let operation = Operation::query(
            "query Run($name: String!) { x }",
            Some("Run"),
            &variables,
            "read a run",
        )
        .unwrap();
        let request = operation.to_request("http://h/graphql").unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["operationName"], "Run");
        assert_eq!(body["variables"]["name"], "r");
    }
}
