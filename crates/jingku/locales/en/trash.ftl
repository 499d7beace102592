### `jingku trash`.

trash-none = The trash is empty.
trash-restored = Restored as { $name }, private.
trash-emptied =
    { $images ->
        [one] { $images } image of { $size } permanently removed.
       *[other] { $images } images of { $size } permanently removed.
    }
trash-would-empty =
    { $images ->
        [one] { $images } image of { $size } would be permanently removed.
       *[other] { $images } images of { $size } would be permanently removed.
    }
trash-held-back = The system clock has jumped forward, or the server has run for less than a day. Images do not expire from the trash until the server has run for { $hours } more hours. Check the clock of this machine. To empty the trash now, run `jingku trash empty`.
