module dapr-mtls.dev/traffic

go 1.24
