### `jingku webhook`.

webhook-created = Created { $id }, with the secret { $secret }
webhook-secret-once = The secret is not shown again. Receivers check signatures with it.
webhook-none = No webhooks.
webhook-deleted = Deleted. Waiting events are not sent.
webhook-no-deliveries = No events.
webhook-retried = It is sent again.
