
### Texts of the operator's pages.

operator-name = Operator
operator-refused = This was refused, and nothing was changed.

health-title = Health
accounts-title = Accounts
review-title = Review
health-ready = Ready
health-not-ready = Not ready
health-problems = Problems
health-slow = The catalogue or the disk did not answer within { $seconds } s. Reload the page.
health-unknown = Unknown
health-damaged = Corrupted images
health-more-damaged = { $count ->
    [one] And { $count } more.
   *[other] And { $count } more.
}
health-damaged-hint = Restore the affected data from a backup, or make the images again. This command lists the objects and images:
health-upkeep = Maintenance
health-server = This server
health-version = Version
health-free = Free disk space
health-catalog = Catalogue file
health-accounts = Accounts
health-images = Images
health-uploads = Uploads
health-scrub = Scrub
health-scrub-none = Not started yet
health-scrub-percent = { $percent }% at { $rate }/s, since
health-scrub-ended = Finished
health-read = Read
health-read-amount = { $chunks } chunks, { $size }
health-found = Corruption
health-found-none = None found
health-found-some = { $objects ->
    [one] { $objects } object
   *[other] { $objects } objects
}, { $images ->
    [one] { $images } image
   *[other] { $images } images
}
health-sweep = Last sweep
health-sweep-hint = To see what a cleanup would remove now:
health-sweep-none = None yet
health-sweep-removed = Removed { $files } files, { $size } ·
health-backup = Last backup
health-backup-none = None is known to this library. Backups of its disk or bucket by other programs are not seen here.
health-backup-made = Generation { $generation } in { $folder }, { $images } images ·
health-queue = Jobs
health-queue-running = { $running } running, none waiting
health-queue-waiting = { $running } running, { $waiting } waiting, the oldest for { $time }
health-job-running = { $done } of { $total }
health-job-again = Waiting to start again, after { $attempts } attempts
health-hosts = Servers
health-live = Live
health-gone = No lease
health-seen = seen { $time } ago
health-started = Started
health-jobs = Jobs
health-host-jobs = { $running } running, { $waiting } waiting
health-tasks = Tasks of one server for all
health-task = Task
health-holder = Server
health-lease = Lease
health-lease-left = { $time } left
health-lease-ended = Not running
health-figures = Figures
health-figures-hint = Of this server, once a minute, for the last six hours or since its start. /metrics has more.
figure-requests = API requests per minute
figure-faults = Failed requests per minute
figure-running = Jobs running
figure-waiting = Jobs waiting
figure-connections = Open connections
figure-received = Received per minute
figure-sent = Sent per minute
figure-free = Free disk space
figure-range = { $low } to { $high }

operator-bad-name = A name has at most { $max } characters, in one line.
accounts-create = Create an account
accounts-create-button = Create
accounts-create-hint = The account gets a key pair. Its private key is shown once.
accounts-none = There are no more accounts.
account-number = Number
account-project = Project
account-limits = Limits
account-limits-hint = Leave a field empty for the default of the server. Write sizes like 500GB. What exceeds a new limit stays.
account-default = Default
account-limits-button = Set the limits
account-limits-set = The limits are set.
account-bad-limit = { $limit }: enter a whole number, or a size such as 500GB. Nothing was changed.
account-keys = Keys
account-no-keys = The account has no valid key, so it cannot use the API.
account-revoked-keys = Revoked keys
key-unrestricted = Not restricted
key-read-only = May only read
key-from = Only from { $addresses }
key-read-only-from = May only read, and only from { $addresses }
key-addresses = Only from these addresses (empty: from any)
key-name = Name of the key (optional)
key-create = Create a key
key-create-button = Create
key-restrict = Restrict
key-restrict-button = Set the restrictions
key-restrict-one = Set the restrictions of { $key }
key-restricted = The restrictions are set. They apply from the next request.
key-revoke = Revoke
key-revoke-one = Revoke { $key }
key-revoked = The key is revoked.
key-revoked-at = Revoked
key-new-title = New key pair
key-new-once = Copy the private key now. It is shown only here, and cannot be shown again.
key-new-give = Give both keys to the user over a channel that others cannot read.
key-new-done = I have copied the key pair
revoke-title = Revoke a key
revoke-question = Revoke this key?
revoke-what = From the next request, the server refuses the key. Console sessions and links that it has created end. Images of the account stay. A revoked key cannot be used again: create another one instead.
revoke-last = It is the last key of the account: until you create another one, nobody can use the account.

review-hint = Images that accounts have submitted to the community, oldest first.
review-none = No image waits for review.
review-more = { $count ->
    [one] { $count } more waits.
   *[other] { $count } more wait.
}
review-submitted = Submitted
review-free = Free
review-price = { $price } CNY per hour
column-price = Price
review-own-name = Name in its account
review-group = Group
review-gpus = GPUs
review-ports = Open ports
review-approve = Approve
review-approve-hint = Every account sees the image and can use it, as it is shown here.
review-refuse = Refuse
review-refuse-hint = The image becomes private again. Its owner reads the reason, and can change the image and submit it again.
review-reason = Reason
review-approved = Approved. The image is in the community.
review-refused = Refused. The owner sees the reason.
