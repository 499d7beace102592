// cn.ucloud:ucloud-sdk-java-ucompshare, saved as ListImages.java
import cn.ucloud.common.config.Config;
import cn.ucloud.common.credential.Credential;
import cn.ucloud.ucompshare.client.UCompShareClient;
import cn.ucloud.ucompshare.models.DescribeCompShareCustomImagesRequest;
import cn.ucloud.ucompshare.models.DescribeCompShareCustomImagesResponse.CompShareImage;
import org.slf4j.helpers.NOPLogger;

public class ListImages {
    public static void main(String[] args) throws Exception {
        Config config = new Config();
        config.setBaseUrl({base_url});
        config.setRegion({region});
        // {logger}
        config.setLogger(NOPLogger.NOP_LOGGER);
        Credential credential = new Credential({public_key}, {private_key});
        UCompShareClient client = new UCompShareClient(config, credential);

        DescribeCompShareCustomImagesRequest request = new DescribeCompShareCustomImagesRequest();
        // {typed_only}
        request.setZone({zone});
        request.setLimit(20);
        for (CompShareImage image : client.describeCompShareCustomImages(request).getImageSet()) {
            System.out.println(image.getCompShareImageId() + " " + image.getName() + " " + image.getStatus());
        }
    }
}
