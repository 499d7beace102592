console-once = The link signs in once, within 5 minutes. Do not share it.
console-not-opened = No browser could be opened here: open the link yourself.
console-absent = The server at { $base_url } has no web console.
console-refused = The server created no link: { $message }
console-operators-signed-out = { $count ->
    [one] Ended { $count } session or link of operators.
   *[other] Ended { $count } sessions and links of operators.
}
