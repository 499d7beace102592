### What surrounds other messages.

output-error = error: { $message }
output-warning = Warning: { $message }
# A message and what to do about it.
output-advice = { $message } { $advice }
output-file = Cannot use { $path }: { $error }.
