### Texts of the web console.

frame-product = Jingku
frame-skip = Skip to content
frame-navigation = Pages
frame-account = Account { $id }
frame-sign-out = Sign out
frame-sign-out-everywhere = Sign out all browsers
frame-detail = The server's answer:

sign-in-title = Sign in
sign-in-by-link = This link signs in once.
sign-in-button = Sign in
sign-in-public-key = Public key
sign-in-private-key = Private key
sign-in-hint = Or create a link on the computer that has the key pair:
sign-in-wrong = The key pair is wrong, was revoked, or may not be used from this address.
sign-in-too-many = Too many sign-ins failed. Wait ten minutes, or sign in with a link from jingku console.
sign-in-bad-link = The link was used already or has expired. Create another one, or use the key pair.

failure-title = This did not work
failure-back = Go to the images
failure-start = Go to the start page
failure-bad-form = The form has expired. Go back, reload the page, and try again.
failure-too-large = The file or text is too large. Nothing was changed.
failure-too-many = Select at most { $max } images. Nothing was changed.
failure-not-found = There is nothing here, or your account cannot access it.

refusal-value = A value cannot be used: it is too long, has characters that are not allowed, or is a name that another image has.
refusal-address = The key may not be used from this address.
refusal-read-only = The key can only read, or the operator does not allow this.
refusal-not-available = The image is not available now.
refusal-limit = A limit of the account or of the server is reached.
refusal-reshare = An image that is shared with you cannot be shared further.
refusal-making = An image is being made of this instance. Wait until it is finished.
refusal-version = Another version of the group has this name.
refusal-instance-state = The instance is in a state that does not allow this.
refusal-later = The server is busy. Try again shortly.
refusal-fault = The server failed. Try again, or ask the operator to read its log.
refusal-other = The server refused this.

images-title = Images
images-tabs = Kinds of images
images-make = Make an image
images-select-all = Select all on this page
images-select = Select { $name }
images-tag = Tag selected
images-share = Share selected
images-delete = Delete selected
images-delete-one = Delete this image
images-count = { $count ->
    [one] { $count } image
   *[other] { $count } images
}
images-deleted = { $count ->
    [one] Deleted { $count } image.
   *[other] Deleted { $count } images.
}
images-tagged = { $count ->
    [one] The tags of { $count } image are set.
   *[other] The tags of { $count } images are set.
}
images-shared = { $count ->
    [one] Shared { $count } image.
   *[other] Shared { $count } images.
}
images-unshared = { $count ->
    [one] { $count } image is no longer shared with these accounts.
   *[other] { $count } images are no longer shared with these accounts.
}
tab-own = My images
tab-shared = Shared with me
tab-community = Community
tab-platform = Platform
filter-name = Name contains
filter-status = Status
filter-sort = Order
filter-any = Any
filter-button = Search
filter-more = More filters
filter-tag = Tags (all of them)
filter-size-from = Size from (GB)
filter-size-below = Size below (GB)
filter-from = Created from (UTC)
filter-until = Created until (UTC)
sort-newest = Newest first
sort-updated = Recently changed
sort-size = Largest first
sort-name = By name
sort-recommended = Recommended first
sort-used = Most used
sort-favorites = Most favorites
column-name = Name
column-status = Status
column-owner = Owner
column-size = Size
column-created = Created
page-first = First page
page-next = Next page

status-making = Making
status-available = Available
status-failed = Failed
status-reviewing = In review
status-offline = Offline
status-unknown = Unknown
failed-advice = Remove the cause, then make or import the image again: the name is free. Delete this image when you no longer need it.
progress-waiting = Waiting to start
progress-detail = { $percent }% · { $speed }/s · { $left } left
progress-detail-present = { $percent }% · { $speed }/s · { $left } left · { $present } were already stored
duration-seconds = { $seconds } s
duration-minutes = { $minutes } min { $seconds } s
duration-hours = { $hours } h { $minutes } min

empty-filtered = No image matches.
empty-all = Show all
empty-own = You have no images yet. Make one of an instance, here or on the command line:
empty-shared = Nobody shares an image with you. To receive one, tell its owner the number of your account: { $account }.
empty-community = Nobody has published an image yet. To publish yours, open it and choose “Publish”.
empty-platform = The operator offers no images yet. Operators add one on the command line:

delete-title = Delete images
delete-question = { $count ->
    [one] Delete this image?
   *[other] Delete these { $count } images?
}
delete-what = { $days ->
    [0] The data is removed for ever within minutes. Links to the image stop working.
    [one] You can restore it from the trash for { $days } day. Then its data is removed for ever. Links to it stop working now.
   *[other] You can restore it from the trash for { $days } days. Then its data is removed for ever. Links to it stop working now.
}
delete-button = Delete
delete-cancel = Cancel

tag-title = Tag images
tag-question = { $count ->
    [one] Tag this image
   *[other] Tag these { $count } images
}
tag-add = Add tags
tag-remove = Remove tags
tag-rule = With commas between them. An image has at most three tags of 64 characters.
tag-button = Change tags
tag-none = Enter a tag to add or to remove.
tag-too-many = It would have more than { $max } tags.
share-title = Share images
share-question = { $count ->
    [one] Share this image
   *[other] Share these { $count } images
}
share-rule = At most ten, with commas between them. These accounts can use and export the images, but not change or share them.
share-too-many = Enter at most ten accounts.
outcomes-failed = { $count ->
    [one] { $count } image could not be changed. The reason is below.
   *[other] { $count } images could not be changed. The reasons are below.
}
outcomes-result = Result
outcomes-done = Done
outcomes-unchanged = Not changed

trash-title = Trash
trash-hint = { $days ->
    [0] This server does not keep deleted images: their data is removed within minutes.
    [one] Deleted images are kept for { $days } day. They count toward the limits of your account. A restored image is private and not shared.
   *[other] Deleted images are kept for { $days } days. They count toward the limits of your account. A restored image is private and not shared.
}
trash-none = The trash is empty.
trash-empty = Empty the trash
trash-restore = Restore selected
trash-restore-as = Restore
trash-purge = Delete selected for good
trash-rename = New name for { $name }
trash-not-restorable = It was deleted while it was being made, so it cannot be restored.
trash-name-taken = Another image has this name. Nothing was restored. Enter another name.
trash-names-taken = Another image has the name of one of these. Nothing was restored. Restore them one at a time to choose another name.
trash-restored = { $count ->
    [one] Restored { $count } image.
   *[other] Restored { $count } images.
}
trash-purged = { $count ->
    [one] Deleted { $count } image for good.
   *[other] Deleted { $count } images for good.
}
trash-purged-some = Deleted { $count } images for good. { $left } are left: empty the trash again.
column-deleted = Deleted
column-expires = Kept until

purge-title = Delete for good
purge-question = { $count ->
    [one] Delete this image for good?
   *[other] Delete these { $count } images for good?
}
purge-all-question = Empty the trash?
purge-all = { $count ->
    [one] The trash has { $count } image.
   *[other] The trash has { $count } images.
}
purge-what = The data is removed and cannot be recovered, not even by the operator. Your limits have room for it at once; the disk of the server has it after the next cleanup, within a day.
purge-button = Delete for good

usage-title = Usage
usage-measured = Measured
usage-not-measured = Nothing was measured yet. It is measured within minutes of the first image, and then once a day.
usage-hint = All sizes are before compression, and only your own images count. It is measured once a day, and within an hour or so of a change.
usage-limits = Limits and room left
usage-chart = Use over time
usage-chart-desc = Three lines from { $first } to { $last }: size of the images, their data, and the data that only one image needs. The table below has the numbers.
usage-table = Numbers as a table
usage-time = Time
usage-images = By image
usage-logical = Size
usage-stored = Data
usage-unique = Not shared
usage-trash = Only in the trash
usage-freed = If you empty the trash, the next cleanup frees up to { $size }, before compression:
usage-in-trash = in the trash
usage-others = { $count ->
    [one] { $count } other image
   *[other] { $count } other images
}
usage-no-images = Your account had no images when this was measured.
limit-images = Images
limit-trashed = Images in the trash
limit-stored = Data of images
limit-unique = Deduplicated data of images
limit-uploads = Uploads
limit-upload-bytes = Uploaded files
limit-jobs = Images waiting or being made
limit-transfers = Downloads and uploads at the same time
limit-used = { $used }, no limit
limit-used-of = { $used } of { $max }
limit-left = { $left } left

image-facts = Facts
image-activity = Who made and changed it
image-readme = Readme
image-versions = Versions
image-cover = Cover
image-use = Use it
image-edit = Edit
image-save = Save
image-share = Share
image-copy = Copy
image-link = Download link
image-publish = Publish
image-delete = Delete
fact-kind = Kind
fact-size = Size
fact-origin = Seen as
fact-owner = Owner
fact-zone = Zone
fact-gpu = GPU
fact-version = Version
fact-softwares = Software
fact-left-out = Left out
fact-left-out-value = { $count } files, { $size }
fact-stored = Data without zeros
fact-unique = Needed by no other image
fact-source = Copy of
weight-unknown = Not measured yet; it is measured within an hour or so
fact-created = Created
fact-updated = Changed
fact-published = Published
kind-container = Container
kind-disk = VM disk
origin-own = Your own
origin-shared = Shared with you
origin-community = Community image
origin-platform = Platform image

update-changed = The image has changed since this page was opened. Nothing was saved: the page shows the image as it is now, and the form what you entered. Save again to replace what is there.
cover-file = Picture
cover-rule = PNG, JPEG, WebP or GIF, at most { $size } and 4096 × 4096 pixels. Everyone who knows its address can see it.
cover-button = Upload
cover-remove = Remove
cover-none = Choose a picture first.
cover-refused = This cannot be a cover: choose a PNG, JPEG, WebP or GIF picture of at most 512 KB and 4096 × 4096 pixels.
cover-changed = The cover has changed since this page was opened. Nothing was saved. To replace it, choose the file again.
readme-title = Readme of { $name }
readme-none = Tell others how to use the image.
readme-edit = Edit readme
readme-rule = Markdown, at most { $max } characters. HTML is shown as text, and pictures become links.
readme-preview = Preview
readme-saved = Saved readme

share-nobody = Only your account can see this image.
share-accounts = Account numbers
share-button = Share
share-stop = Stop sharing
share-stop-with = Stop sharing with { $account }
share-not-numbers = Enter account numbers, such as 2 or 2, 5.
share-invalid = These accounts do not exist or cannot be shared with: { $accounts }. Nothing was changed.
copy-name = Name of the copy (optional)
copy-button = Copy
link-hint = Anyone with the link can download the disk without a key until the link expires.
link-size = { $size }.
link-until = Valid until
link-expires = Valid for
link-hour = 1 hour
link-hours = 8 hours
link-day = 1 day
link-button = Create link
publish-hint = Everyone on this server can see and use a published image, once the operator has approved it.
publish-version = Version (optional)
publish-desc = What is new
publish-button = Publish

make-title = Make
make-no-instances = Your account has no instances yet. The operator declares one on the command line:
state-running = running
state-stopped = stopped
state-making = an image is being made
make-instance = Instance
make-name = Name
make-name-rule = 1 to { $max } Chinese characters, letters, digits and _ , . : -
make-description = Description
make-tags = Tags
make-tags-rule = At most three, with commas between them
make-button = Make the image
make-estimate-button = Estimate first
make-estimate = { $size } to read, of which { $new } are new. It takes about { $time }.
make-does-not-fit = There is not enough room for this image.

import-title = Import
import-hint = Make an image of a file. The browser hashes it and sends it in pieces. If it is interrupted, choose the same file again to resume.
import-no-script = Importing on this page needs JavaScript. The command line does the same:
import-drop = Drop a file here
import-choose = or choose one
import-button = Import
import-cancel = Cancel and delete the upload
import-formats = Accepted files
import-format-qcow2 = A qcow2 disk without a backing file, version 2 or 3
import-format-raw = A raw disk, byte for byte
import-format-container = A container image that podman save or docker save wrote
import-format-packed = One of these, compressed with gzip or zstd
import-largest = The content decides, not the name of the file. A file, and the disk in it, can have up to 1000 GB.
import-starting = Starting…
import-sending = %percent%% · %done% of %total% · %speed%/s. Keep this page open.
import-checking = Comparing with what the server has: %percent%%
import-waiting = No answer from the server. Trying again…
import-resume = The upload of %file% (%size%) was interrupted. Choose the file again to resume it.
import-network = The server could not be reached for five minutes. The upload is kept for a day: import the same file again to resume it.
import-differs = The server has another file of this size under this name. Cancel the upload, or choose another name.
import-gone = The upload has ended or was deleted. Start it again.
import-full = There is no room for the rest of the file.
import-unreadable = The file cannot be read, or has changed. Cancel the upload, and import the file again.
import-empty = The file is empty.
import-sign-in = The session has ended. Sign in again: the upload can then be resumed.

done-imported = The file has arrived, and the image is being made. You can close this page.
done-made = Making the image has started. You can close this page.
done-made-without-tags = The image is being made. Its tags could not be set: use at most three short tags.
done-edited = Saved.
done-covered = The cover is set.
done-uncovered = The cover is removed.
done-shared = Shared.
done-unshared = No longer shared.
done-copied = Copied. This is the copy.
done-published = Submitted. The image appears in the community when it is approved.

activity-title = Activity
activity-image = Image or instance ID
activity-activity = Action
activity-time = Time
activity-resource = Changed
activity-result = Result
activity-who = Through
activity-done = done
activity-refused = refused ({ $code })
activity-api = API
activity-console = Console
activity-upload = Upload link
activity-command = Operator
activity-server = Server, by age
activity-count = { $count ->
    [one] { $count } entry
   *[other] { $count } entries
}
activity-none = No changes yet. All changes of your images and instances appear here, also those of other keys and of the operator.
activity-none-match = No activity matches.
