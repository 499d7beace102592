// npm install @ucloud-sdks/ucloud-sdk-js
const { Client, Request } = require("@ucloud-sdks/ucloud-sdk-js");

// {logger}
const client = new Client({
  config: { baseUrl: {base_url}, region: {region}, logger: null },
  credential: { publicKey: {public_key}, privateKey: {private_key} },
});
// {retries}
client
  .invoke(new Request({ Action: "DescribeCompShareCustomImages", Zone: {zone}, Limit: 20 }))
  .then((reply) => {
    for (const image of reply.toObject().ImageSet) {
      console.log(image.CompShareImageId, image.Name, image.Status);
    }
  })
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
