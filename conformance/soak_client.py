"""A client of the soak test: creates, lists and deletes images with the Python SDK until its standard input ends.

The first line of the input has the images that it knows; at the end it writes where each image may be, as the test does:
1 for the list, 2 for the trash, 4 for nowhere, and their sum if an answer is missing.
"""

import json
import logging
import random
import sys
import threading

from ucloud.client import Client
from ucloud.core.exc import RetCodeException, TransportException

LISTED, TRASH, GONE = 1, 2, 4
FAULT = 150
ZONE = "cn-wlcb-01"
IMAGES_MAX = 6

logging.getLogger("ucloud").setLevel(logging.CRITICAL)


class Soak:
    def __init__(self, images, base_url, public_key, private_key, instance, prefix, seed):
        config = {"base_url": base_url, "public_key": public_key, "private_key": private_key}
        self.client = Client({**config, "region": "cn-wlcb", "timeout": 30, "max_retries": 0})
        self.images, self.instance, self.prefix = images, instance, prefix
        self.random = random.Random(seed)
        self.names = self.answered = self.faults = 0

    def call(self, method, **params):
        """Returns the answer, `None` for a refusal, and fails with `Unknown` if it is not known what was done."""
        try:
            answer = getattr(self.client.ucompshare(), method)({"Zone": ZONE, **params})
        except RetCodeException as error:
            if error.code == FAULT:
                self.faults += 1
                raise Unknown from error
            assert error.code < 170 or error.code > 180, error
            return None
        self.answered += 1
        return answer

    def create(self):
        self.names += 1
        image = {"id": None, "name": f"{self.prefix}-{self.names}", "places": LISTED | GONE, "made": False}
        self.images.append(image)
        made = self.call("create_comp_share_custom_image", UHostId=self.instance, Name=image["name"])
        if made is None:
            self.images.remove(image)
        else:
            image.update(id=made["CompShareImageId"], places=LISTED)

    def delete(self):
        image = self.pick()
        if image:
            image["places"] |= TRASH
            done = self.call("terminate_comp_share_custom_image", CompShareImageId=image["id"])
            assert done is not None, f"{image} cannot be deleted"
            image["places"] = TRASH

    def progress(self):
        image = self.pick()
        if image:
            progress = self.call("get_comp_share_image_create_progress", CompShareImageId=image["id"])
            assert progress is not None and 0 <= progress["Process"] <= 100, (image, progress)

    def list(self):
        page = self.call("describe_comp_share_custom_images", Limit=100)
        if page is None:
            return
        shown = {image["CompShareImageId"]: image for image in page["ImageSet"]}
        assert page["TotalCount"] == len(page["ImageSet"]), page["TotalCount"]
        for image in self.images:
            row = shown.get(image["id"])
            assert row or image["places"] != LISTED, f"{image} was acknowledged and is missing"
            assert not row or image["places"] & LISTED, f"{image} was deleted and is listed"
            assert not row or row["Name"] == image["name"], (image, row)
            image["made"] |= bool(row) and row["Status"] == "Available"

    def pick(self):
        listed = [image for image in self.images if image["places"] == LISTED]
        return self.random.choice(listed) if listed else None

    def step(self):
        live = sum(image["places"] == LISTED for image in self.images)
        acts = [self.delete, self.progress, self.list, self.list]
        if live < IMAGES_MAX:
            acts += [self.create, self.create]
        self.random.choice(acts)()


class Unknown(Exception):
    """It is not known whether a call was done."""


def main():
    soak = Soak(json.loads(sys.stdin.readline()), *sys.argv[1:])
    asked = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), asked.set()), daemon=True).start()
    ended = None
    while not asked.is_set():
        try:
            soak.step()
        except Unknown:
            asked.wait(0.05)
        except (TransportException, OSError) as error:
            ended = repr(error)
            break
    report = {"images": soak.images, "answered": soak.answered, "faults": soak.faults, "ended": ended}
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
