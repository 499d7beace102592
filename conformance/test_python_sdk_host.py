"""What a host offers, and at what price, as the typed Python SDK reads it."""

from daemon import REGION, ZONE

ORDER = {"Region": REGION, "Zone": ZONE, "GpuType": "CPU", "Gpu": "1", "Cpu": "1", "Memory": "1024"}


def test_types_are_decoded(owner):
    api = owner.sdk().ucompshare()
    [row] = api.describe_available_comp_share_instance_types({"Zone": ZONE})["AvailableInstanceTypes"]
    assert (row["Name"], row["InstanceType"], row["Status"]) == ("CPU", "uhost", "Normal")
    [size] = row["MachineSizes"]
    assert size["Gpu"] == 1 and all(cell["Cpu"] >= 1 and cell["Memory"] for cell in size["Collection"])
    assert row["Disks"][0]["BootDisk"][0]["MaximalSize"] == 1000


def test_the_capacity_has_every_type_and_size(owner):
    client = owner.sdk()
    capacity = client.invoke("CheckCompShareResourceCapacity", {"Zone": ZONE, "GpuType": "CPU", "MachineType": "G"})
    assert {"Gpu": 1, "Cpu": 1, "Mem": 1, "ResourceEnough": True} in capacity["Specs"]
    # Text in the schema of the SDK, an object here and in the service's own samples.
    inventory = client.invoke("DescribeCompShareGpuInventory", {})["GpuInventoryByZone"]
    assert inventory["Exclusive"]["10027"] == {"CPU": 1}


def test_prices_are_decoded_under_the_keys_of_the_sdk(owner):
    api = owner.sdk().ucompshare()
    for price in (api.get_comp_share_instance_price, api.get_comp_share_instance_user_price):
        reply = price({**ORDER, "ChargeType": "Postpay"})
        for key in ("PriceDetail", "OriginalPriceDetail", "ListPriceDetail"):
            [row] = reply[key]
            assert (row["ChargeType"], row["Instance"], row["CompShareImage"]) == ("Postpay", 0.0, 0.0)
    more = api.get_comp_share_instance_upgrade_price({"Zone": ZONE, "UHostId": owner.instance, "Gpu": 2})
    assert more["Price"] == 0.0
    [refund] = api.get_comp_share_refund_price({"Zone": ZONE, "UHostIds": [owner.instance]})["RefundPriceSet"]
    assert (refund["UHostId"], refund["Code"], refund["RefundPrice"]) == (owner.instance, 0, 0.0)


def test_what_a_host_does_not_have(owner):
    api = owner.sdk().ucompshare()
    assert api.check_comp_share_net_optimizer({"Zone": ZONE})["Optimized"] is False
    assert api.describe_model_repository_models({"Zone": ZONE})["Models"] == []
    for action in ("AttachUS3", "ListCompShareTeam", "DescribeCFS"):
        assert owner.call(action).ret_code == 161, action
