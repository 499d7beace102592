// go get github.com/ucloud/ucloud-sdk-go
package main

import (
	"fmt"
	"log"

	"github.com/ucloud/ucloud-sdk-go/services/ucompshare"
	"github.com/ucloud/ucloud-sdk-go/ucloud"
	"github.com/ucloud/ucloud-sdk-go/ucloud/auth"
)

func main() {
	cfg := ucloud.NewConfig()
	cfg.BaseUrl = {base_url}
	cfg.Region = {region}
	cfg.Zone = {zone}
	credential := auth.NewCredential()
	credential.PublicKey = {public_key}
	credential.PrivateKey = {private_key}
	client := ucompshare.NewClient(&cfg, &credential)

	request := client.NewDescribeCompShareCustomImagesRequest()
	request.Limit = ucloud.Int(20)
	reply, err := client.DescribeCompShareCustomImages(request)
	if err != nil {
		log.Fatal(err)
	}
	for _, image := range reply.ImageSet {
		fmt.Println(image.CompShareImageId, image.Name, image.Status)
	}
}
