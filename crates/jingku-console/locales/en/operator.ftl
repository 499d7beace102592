
### Texts of the operator's pages.

operator-name = Operator
operator-refused = This was refused, and nothing was changed.

health-title = Health
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
health-scrub-percent = { $percent }% at { $rate }/s, started
health-scrub-ended = Finished
health-read = Read
health-read-amount = { $chunks } chunks, { $size }
health-found = Corruption
health-found-none = None found
health-found-some = { $objects } objects, { $images } images
health-sweep = Last sweep
health-sweep-none = None yet
health-sweep-removed = Removed { $files } files, { $size }
health-backup = Last backup
health-backup-none = None is known to this library. Backups of its disk or bucket by other programs are not seen here.
health-backup-made = Generation { $generation } in { $folder }, { $images } images
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
