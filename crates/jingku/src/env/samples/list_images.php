<?php
// composer require ucloud/ucloud-sdk-php
require __DIR__ . '/vendor/autoload.php';

use UCloud\Core\Client;
use UCloud\Core\Logger\DisabledLogger;
use UCloud\Core\Request\Request;

// {untyped}
$client = new Client([
    'baseUrl' => {base_url},
    'publicKey' => {public_key},
    'privateKey' => {private_key},
    'region' => {region},
    // {logger}
    'logger' => new DisabledLogger(),
]);
$request = new Request(['Action' => 'DescribeCompShareCustomImages', 'Zone' => {zone}, 'Limit' => 20]);
foreach ($client->invoke($request)->toArray()['ImageSet'] as $image) {
    echo $image['CompShareImageId'], ' ', $image['Name'], ' ', $image['Status'], PHP_EOL;
}
