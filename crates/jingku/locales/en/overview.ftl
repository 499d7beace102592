### The screen that a bare `jingku` prints: at most 24 lines of 80 columns.

overview-screen =
    Jingku - a self-hosted library of custom images for GPU machines

    Try it
      jingku serve --demo              a server with two small disks and one image

    Serve
      jingku serve                     run the server on 127.0.0.1:8480
      jingku instance add|list|remove  register the VM disks to create images from
      jingku account|key create|list   tenants, and the key pairs they sign with
      jingku backup|restore DIR        back up, restore; see also: trash, usage
      jingku check                     { $check }
      jingku serve --ephemeral --lab   a server to test your code with: jingku lab

    Images, on this server or in the cloud
      jingku image list                your own images, newest first
      jingku image show|delete ID      show an image; move it to the trash
      jingku image create --instance ID --name NAME --wait
      jingku image progress ID         progress of image creation
      jingku image update ID           name, description, tags, readme
      jingku image export ID -o FILE   raw or qcow2 disk to a file; see also: import
      jingku run -- compshare ...      a program made for the cloud; see also: env

    Global options: --json, --lang zh|en, --data-dir DIR, --help
    Exit codes: 0 ok, 1 refused, 2 usage, 3 not found, 4 keys, 5 retry, 6 fault
overview-check = verify image integrity; see also: sweep
overview-check-damage = CORRUPTION FOUND: run it to list what is corrupted now
overview-check-ended = verify image integrity; { $day }: all intact
overview-check-percent = verify image integrity; { $percent }% scrubbed, all intact
