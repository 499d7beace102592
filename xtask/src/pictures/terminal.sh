# What the recording of the terminal shows. A server runs already, and trainer.qcow2 is the disk of a virtual machine.
type() {
    printf '\033[32m$\033[0m '
    for ((i = 0; i < ${#1}; i++)); do
        printf '%s' "${1:i:1}"
        sleep 0.04
    done
    sleep 0.4
    printf '\n'
}
show() {
    type "$1"
    eval "$1"
    sleep "${2:-1.2}"
}
# Prints a path of this machine.
jingku instance add --id uhost-trainer --disk trainer.qcow2 --zone cn-wlcb-01 >/dev/null
show 'jingku image create --instance uhost-trainer --name torch-2.9 --wait'
show 'jingku image list' 2
id=$(jingku image list --json | grep --only-matching --max-count=1 'compshareImage-[0-9a-z]*' | head -1)
show "jingku image export $id --format qcow2 -o copy.qcow2"
show 'qemu-img compare trainer.qcow2 copy.qcow2' 4
