### `jingku trash`.

trash-none = The trash is empty.
trash-restored = Restored as { $name }, private.
trash-emptied =
    { $images ->
        [one] Permanently removed { $images } image of { $size }.
       *[other] Permanently removed { $images } images of { $size }.
    }
trash-would-empty =
    { $images ->
        [one] Would permanently remove { $images } image of { $size }.
       *[other] Would permanently remove { $images } images of { $size }.
    }
trash-held-back = The system clock has jumped forward, or the server has run for less than a day. Images do not expire from the trash until the server has run for { $hours } more hours. Check the clock of this machine. To empty the trash now, run `jingku trash empty`.
