### The operator's commands on accounts, keys, instances, reviews and platform images.

operate-no-data-dir = There is no data directory { $path }.
operate-account-none = No accounts.
operate-account = Account
operate-public-key = Public key
operate-private-key = Private key
operate-key-once = The private key is not shown again.
operate-key-none = No keys.
operate-key-revoked = Revoked.
operate-key-revoked-on = revoked { $date }
operate-key-restricted = From the next request: { $limits }.
operate-key-unrestricted = not restricted
operate-key-read-only = read-only
operate-key-from = from { $addresses }
operate-key-read-only-from = read-only, from { $addresses }
operate-limit-own = this account
operate-limit-default = all accounts
operate-instance-none = No instances.
operate-instance-added = Registered { $id }, { $size }:
operate-instance-removed = Unregistered.
operate-promoted = All accounts can now see it as { $name }, a platform image of type { $kind }.
operate-demoted = Removed from the platform images.
operate-review-none = No images are waiting for review.
operate-review-approved = Approved: the image is public now.
operate-review-refused = Rejected: the owner can read the reason.
operate-review-recommended = Sort weight set.
operate-review-free = free
