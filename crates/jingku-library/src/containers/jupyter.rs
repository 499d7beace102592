//! The token of the Jupyter server in a container.

use serde_json::Value;

use super::facts::ContainerFacts;
use crate::library::Library;

/// The variable that Jupyter reads its token from.
const VARIABLE: &str = "JUPYTER_TOKEN=";
/// How an argument of Jupyter ends that has the token, such as `--ServerApp.token=`.
const ARGUMENT: &str = ".token=";

impl Library {
    /// The token that a container gives to Jupyter; empty if it gives none. `None` if the engine does not answer.
    pub async fn jupyter_token(&self, facts: &ContainerFacts) -> Option<String> {
        let engine = self.containers.engine().await?;
        let container = match engine {
            Ok(engine) => engine.container(&facts.engine_id).await,
            Err(error) => Err(error),
        };
        let failed = |error: &_| {
            tracing::warn!(error = error as &dyn std::error::Error, "cannot ask about a container");
        };
        let container = container.inspect_err(failed).ok()?;
        Some(token(&container.config).unwrap_or_default().to_owned())
    }
}

/// The token in the configuration of a container. One that Jupyter made up itself is not there.
fn token(config: &Value) -> Option<&str> {
    let texts = |name: &str| config[name].as_array().into_iter().flatten().filter_map(Value::as_str);
    let variable = texts("Env").find_map(|pair| pair.strip_prefix(VARIABLE));
    let arguments = texts("Entrypoint").chain(texts("Cmd"));
    // The whole command may be one text of a shell.
    let words = arguments.flat_map(str::split_whitespace).filter(|word| word.starts_with("--"));
    let argument = words.filter_map(|word| Some(word.split_once(ARGUMENT)?.1)).next_back();
    argument.or(variable).map(|token| token.trim_matches(['\'', '"']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_a_variable_or_an_argument() {
        assert_eq!(token(&json!({ "Env": ["PATH=/bin", "JUPYTER_TOKEN=secret"] })), Some("secret"));
        let shell = json!({ "Cmd": ["/bin/sh", "-c", "jupyter lab --ServerApp.token='a b' --ServerApp.token='t' --port=1"] });
        assert_eq!(token(&shell), Some("t"));
        let both =
            json!({ "Env": ["JUPYTER_TOKEN=x"], "Entrypoint": ["jupyter", "--IdentityProvider.token=y"] });
        assert_eq!(token(&both), Some("y"));
        assert_eq!(token(&json!({ "Env": null, "Cmd": ["sleep", "x.token=1"] })), None);
        assert_eq!(token(&json!("text")), None);
    }
}
