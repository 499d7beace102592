### `jingku audit`.

audit-none = No entries.
audit-done = done
audit-read =
    { $read ->
        [one] { $read } entry read; { $removed } removed by age.
       *[other] { $read } entries read; { $removed } removed by age.
    }
audit-intact = The audit log is intact.
audit-head = To notice a rewritten log later, keep this note elsewhere and pass it to --from: { $head }
audit-damaged =
    { $count ->
        [one] The audit log is not intact: { $count } finding.
       *[other] The audit log is not intact: { $count } findings.
    }
audit-changed = Entry { $seq } was changed.
audit-missing = Entries { $first } to { $last } are missing.
audit-unlinked = Entry { $seq } does not continue the entry before it: one of them was replaced or inserted.
audit-wrong-head = Entry { $seq } is not the recorded last entry: the end of the log was changed.
audit-rewritten = Entry { $seq } is not the one in the note: the log was rewritten.
audit-shorter = The log does not reach entry { $seq } of the note: entries were removed, or an older backup was restored.
audit-expired = Entry { $seq } of the note was removed by age and cannot be compared. Use a newer note.
