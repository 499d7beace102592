### Texts of the web console.

frame-product = Jingku
frame-skip = Skip to content
frame-navigation = Pages
frame-account = Account { $id }
frame-sign-out = Sign out
frame-detail = The server's answer:

sign-in-title = Sign in
sign-in-by-link = This link signs in once.
sign-in-button = Sign in
sign-in-public-key = Public key
sign-in-private-key = Private key
sign-in-hint = Or create a link on the computer that has the key pair:
sign-in-wrong = The key pair is wrong, was revoked, or may not be used from this address.
sign-in-bad-link = The link was used already or has expired. Create another one, or use the key pair.

failure-title = This did not work
failure-back = Go to the images
failure-bad-form = The form has expired. Go back, reload the page, and try again.
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
images-deleted-before = { $count ->
    [one] { " " }Before that, { $count } image was deleted.
   *[other] { " " }Before that, { $count } images were deleted.
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
sort-newest = Newest first
sort-updated = Recently changed
sort-size = Largest first
sort-name = By name
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
    [one] The operator can restore it from the trash for { $days } day. Then its data is removed for ever. Links to it stop working now.
   *[other] The operator can restore it from the trash for { $days } days. Then its data is removed for ever. Links to it stop working now.
}
delete-button = Delete
delete-cancel = Cancel

image-facts = Facts
image-readme = Readme
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
fact-created = Created
fact-updated = Changed
fact-published = Published
kind-container = Container
kind-disk = VM disk
origin-own = Your own
origin-shared = Shared with you
origin-community = Community image
origin-platform = Platform image

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

done-made = Making the image has started. You can close this page.
done-made-without-tags = The image is being made. Its tags could not be set: use at most three short tags.
done-edited = Saved.
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
activity-none = Nothing has been changed yet. Changes of your images and instances appear here, whoever makes them.
activity-none-match = No activity matches.
