module dapr-mtls.dev/judge

go 1.24
