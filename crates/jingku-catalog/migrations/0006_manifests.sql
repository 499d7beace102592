-- Which manifests images need, asked over and over by a sweep.
CREATE INDEX images_manifest ON images (manifest) WHERE manifest IS NOT NULL;
