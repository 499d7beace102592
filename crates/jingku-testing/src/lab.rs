//! The client of the lab's control API.

use serde_json::{Value, json};

/// Controls the lab of a server that was started with `--ephemeral --lab`.
#[derive(Clone, Debug)]
pub struct Lab {
    http: reqwest::Client,
    base_url: String,
}

/// Why a call of the lab failed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No server answers.
    #[error("No server answers at {base_url}: {}.", root_cause(source))]
    Unreachable {
        /// The address of the server.
        base_url: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// The server has no lab, or is not Jingku.
    #[error("The server at {0} has no lab. Start one with `jingku serve --ephemeral --lab`.")]
    NoLab(String),
    /// The lab refused the call, with this message.
    #[error("{0}")]
    Refused(String),
}

/// The last error of a chain of causes.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error).to_string()
}

impl Lab {
    /// The lab of the server at this address; sends nothing yet.
    pub fn new(base_url: &str) -> Result<Self, LabError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        // A lab is on this machine and speaks plain HTTP.
        let http = http.tls_certs_only([]).build();
        let http = http.map_err(|source| LabError::Unreachable { base_url: base_url.clone(), source })?;
        Ok(Self { http, base_url })
    }

    /// Resets catalogue, clock, faults, hold and trace to the state after loading the fixtures.
    pub async fn reset(&self) -> Result<(), LabError> {
        self.post("reset", &json!({})).await.map(drop)
    }

    /// Saves the catalogue under a name.
    pub async fn snapshot(&self, name: Option<&str>) -> Result<Value, LabError> {
        self.post("snapshot", &json!({ "name": name })).await
    }

    /// Restores the catalogue of a snapshot.
    pub async fn return_to(&self, name: Option<&str>) -> Result<Value, LabError> {
        self.post("return", &json!({ "name": name })).await
    }

    /// Stops the server's clock at a time in Unix seconds.
    pub async fn set_clock(&self, now: i64) -> Result<Value, LabError> {
        self.post("clock", &json!({ "set": now })).await
    }

    /// Moves the server's clock by seconds, forward or back.
    pub async fn advance_clock(&self, seconds: i64) -> Result<Value, LabError> {
        self.post("clock", &json!({ "advance": seconds })).await
    }

    /// Makes the server use the machine's clock again.
    pub async fn free_clock(&self) -> Result<Value, LabError> {
        self.post("clock", &json!({ "free": true })).await
    }

    /// Holds every image that is being created at this percentage until [`Lab::release`].
    pub async fn hold(&self, percent: u8) -> Result<Value, LabError> {
        self.post("hold", &json!({ "percent": percent })).await
    }

    /// Lets held images complete.
    pub async fn release(&self) -> Result<Value, LabError> {
        self.post("release", &json!({})).await
    }

    /// Answers the next calls of an action (`*` for any) with a return code, without executing them.
    pub async fn fail(
        &self,
        action: &str,
        ret_code: i64,
        message: Option<&str>,
        times: u32,
    ) -> Result<Value, LabError> {
        let body = json!({ "action": action, "ret_code": ret_code, "message": message, "times": times });
        self.post("fail", &body).await
    }

    /// Delays the next calls of an action.
    pub async fn delay(&self, action: &str, ms: u64, times: u32) -> Result<Value, LabError> {
        self.post("delay", &json!({ "action": action, "ms": ms, "times": times })).await
    }

    /// Closes the connection of the next calls of an action: before they are executed, or with `half` after half of
    /// the answer.
    pub async fn drop_calls(&self, action: &str, half: bool, times: u32) -> Result<Value, LabError> {
        self.post("drop", &json!({ "action": action, "half": half, "times": times })).await
    }

    /// Removes all pending faults.
    pub async fn clear_faults(&self) -> Result<(), LabError> {
        self.post("clear", &json!({})).await.map(drop)
    }

    /// The requests of clients after the one with this number, oldest first; 0 for all recorded ones.
    pub async fn trace(&self, after: u64) -> Result<Vec<Value>, LabError> {
        let request = self.http.get(self.url(&format!("trace?after={after}")));
        let mut answer = self.send(request).await?;
        match answer["entries"].take() {
            Value::Array(entries) => Ok(entries),
            _ => Err(LabError::NoLab(self.base_url.clone())),
        }
    }

    /// Clears the trace.
    pub async fn clear_trace(&self) -> Result<(), LabError> {
        self.post("trace/clear", &json!({})).await.map(drop)
    }

    /// The clock, the hold, the faults and the snapshots.
    pub async fn state(&self) -> Result<Value, LabError> {
        self.send(self.http.get(self.url("state"))).await
    }

    fn url(&self, call: &str) -> String {
        format!("{}/_lab/{call}", self.base_url)
    }

    async fn post(&self, call: &str, body: &Value) -> Result<Value, LabError> {
        let request = self.http.post(self.url(call)).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, LabError> {
        let unreachable = |source| LabError::Unreachable { base_url: self.base_url.clone(), source };
        let response = request.header("x-jingku-lab", "1").send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        let value: Value = serde_json::from_str(&text).map_err(|_| LabError::NoLab(self.base_url.clone()))?;
        match value["error"].as_str() {
            Some(error) => Err(LabError::Refused(error.to_owned())),
            // A server without a lab answers as for a call of the API.
            None if !status.is_success() || value.get("RetCode").is_some() => {
                Err(LabError::NoLab(self.base_url.clone()))
            }
            None => Ok(value),
        }
    }
}
