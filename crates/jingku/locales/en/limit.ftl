### Names of the limits of accounts.

limit-images = images
limit-trashed = images in the trash
limit-stored-bytes = image data
limit-unique-bytes = deduplicated image data
limit-uploads = unfinished uploads
limit-upload-bytes = uploaded files
limit-jobs = images in progress
limit-transfers = transfers at the same time
limit-none = none
