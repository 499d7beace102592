// The life of an instance, with the typed calls of ucloud-sdk-go. Prints the row while it runs, and the ids that are left.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/ucloud/ucloud-sdk-go/services/ucompshare"
	"github.com/ucloud/ucloud-sdk-go/ucloud"
	"github.com/ucloud/ucloud-sdk-go/ucloud/auth"
)

var (
	client *ucompshare.UCompShareClient
	id     *string
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func rows() []ucompshare.CompShareInstanceSet {
	request := client.NewDescribeCompShareInstanceRequest()
	request.UHostIds = []string{*id}
	reply, err := client.DescribeCompShareInstance(request)
	check(err)
	return reply.UHostSet
}

func waitFor(state string) ucompshare.CompShareInstanceSet {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if row := rows()[0]; row.State == state {
			return row
		}
	}
	log.Fatalf("not %s: %v", state, rows())
	return ucompshare.CompShareInstanceSet{}
}

func stop() {
	request := client.NewStopCompShareInstanceRequest()
	request.UHostId = id
	_, err := client.StopCompShareInstance(request)
	check(err)
	waitFor("Stopped")
}

func main() {
	cfg := ucloud.NewConfig()
	cfg.BaseUrl, cfg.Region, cfg.Zone = os.Getenv("BASE_URL"), os.Getenv("REGION"), os.Getenv("ZONE")
	credential := auth.NewCredential()
	credential.PublicKey, credential.PrivateKey = os.Getenv("PUBLIC_KEY"), os.Getenv("PRIVATE_KEY")
	client = ucompshare.NewClient(&cfg, &credential)
	image := ucloud.String(os.Getenv("IMAGE"))

	types, err := client.DescribeAvailableCompShareInstanceTypes(client.NewDescribeAvailableCompShareInstanceTypesRequest())
	check(err)
	gpuType := ucloud.String(types.AvailableInstanceTypes[0].Name)
	price := client.NewGetCompShareInstancePriceRequest()
	price.GpuType, price.Gpu, price.Cpu, price.Memory = gpuType, ucloud.String("1"), ucloud.String("1"), ucloud.String("1024")
	prices, err := client.GetCompShareInstancePrice(price)
	check(err)
	if len(prices.PriceDetail) == 0 {
		log.Fatal("no prices")
	}

	create := client.NewCreateCompShareInstanceRequest()
	create.GpuType, create.GPU, create.CPU, create.Memory = gpuType, ucloud.Int(1), ucloud.Int(1), ucloud.Int(1024)
	create.MachineType, create.CompShareImageId, create.Name = ucloud.String("G"), image, ucloud.String("trained")
	disk := ucompshare.CreateCompShareInstanceParamDisks{}
	disk.IsBoot, disk.Size, disk.Type = ucloud.Bool(true), ucloud.Int(100), ucloud.String("CLOUD_SSD")
	create.Disks = []ucompshare.CreateCompShareInstanceParamDisks{disk}
	created, err := client.CreateCompShareInstance(create)
	check(err)
	id = &created.UHostIds[0]
	row, err := json.Marshal(waitFor("Running"))
	check(err)
	fmt.Println(string(row))

	rename := client.NewModifyCompShareInstanceNameRequest()
	rename.UHostId, rename.Name = id, ucloud.String("renamed")
	_, err = client.ModifyCompShareInstanceName(rename)
	check(err)
	ports := client.NewUpdateCompShareInstancePortsRequest()
	ports.UHostId, ports.HttpPorts = id, []int{8888, 8188}
	_, err = client.UpdateCompShareInstancePorts(ports)
	check(err)
	monitor := client.NewGetCompShareInstanceMonitorRequest()
	monitor.UHostIds = []string{*id}
	_, err = client.GetCompShareInstanceMonitor(monitor)
	check(err)
	schedule := client.NewUpdateCompShareStopSchedulerRequest()
	schedule.UHostId, schedule.StopTime = id, ucloud.Int(int(time.Now().Unix())+3600)
	_, err = client.UpdateCompShareStopScheduler(schedule)
	check(err)
	if rows()[0].StopSchedulerTime != *schedule.StopTime {
		log.Fatal("no time to stop: ", rows())
	}
	password := client.NewResetCompShareInstancePasswordRequest()
	password.UHostId, password.Password = id, ucloud.String("UGFzc3cwcmQx")
	_, err = client.ResetCompShareInstancePassword(password)
	check(err)

	reboot := client.NewRebootCompShareInstanceRequest()
	reboot.UHostId = id
	_, err = client.RebootCompShareInstance(reboot)
	check(err)
	waitFor("Running")
	stop()
	resize := client.NewResizeCompShareInstanceRequest()
	resize.UHostId, resize.Memory = id, ucloud.Int(2048)
	_, err = client.ResizeCompShareInstance(resize)
	check(err)
	// Podman 4 refuses another size.
	if row := waitFor("Stopped"); row.Name != "renamed" || row.Password != "UGFzc3cwcmQx" {
		log.Fatal("other row: ", row)
	}
	start := client.NewStartCompShareInstanceRequest()
	start.UHostId = id
	_, err = client.StartCompShareInstance(start)
	check(err)
	waitFor("Running")
	stop()
	reinstall := client.NewReinstallCompShareInstanceRequest()
	reinstall.UHostId, reinstall.CompShareImageId = id, image
	_, err = client.ReinstallCompShareInstance(reinstall)
	check(err)
	waitFor("Running")
	refund := client.NewGetCompShareRefundPriceRequest()
	refund.UHostIds = []string{*id}
	_, err = client.GetCompShareRefundPrice(refund)
	check(err)
	stop()
	terminate := client.NewTerminateCompShareInstanceRequest()
	terminate.UHostId = id
	_, err = client.TerminateCompShareInstance(terminate)
	check(err)
	fmt.Println(len(rows()))
}
