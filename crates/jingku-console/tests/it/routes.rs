//! The routes of the console, read from its source: a test of all routes also has those that are added later.

/// A route and its methods.
pub(crate) struct Route {
    pattern: &'static str,
    pub(crate) gets: bool,
    pub(crate) posts: bool,
}

/// Every route except those of assets and languages, which belong to no account.
pub(crate) fn routes() -> Vec<Route> {
    let source = include_str!("../../src/lib.rs");
    let routes = source.split(".route(").skip(1).map(|rest| {
        let (_, rest) = rest.split_once('"').unwrap();
        let (pattern, methods) = rest.split_once('"').unwrap();
        let methods = methods.split(".layer(").next().unwrap();
        Route { pattern, gets: methods.contains("get("), posts: methods.contains("post(") }
    });
    let routes: Vec<_> = routes
        .filter(|route| !route.pattern.contains("/assets/") && !route.pattern.contains("/language/"))
        .collect();
    assert!(routes.len() > 10 && routes.iter().all(|route| route.gets || route.posts));
    routes
}

impl Route {
    pub(crate) fn is(&self, pattern: &str) -> bool {
        self.pattern == pattern
    }

    /// Whether it is a page of the operator.
    pub(crate) fn is_operators(&self) -> bool {
        self.pattern.starts_with("/console/operator/")
    }

    /// Whether it is for anybody, signed in or not.
    pub(crate) fn is_open(&self) -> bool {
        [
            "/console",
            "/console/",
            "/console/sign-in",
            "/console/sign-out",
            "/console/links",
            "/console/{*path}",
        ]
        .contains(&self.pattern)
    }

    /// Whether it is about one thing of an account.
    pub(crate) fn has_id(&self) -> bool {
        self.pattern.contains("{id}")
    }

    /// The path for an id.
    pub(crate) fn path(&self, id: &str) -> String {
        let path = self.pattern.replace("{id}", id).replace("{*path}", "no/such/page");
        assert!(!path.contains('{'), "{path} has another parameter");
        path
    }
}
