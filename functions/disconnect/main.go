// Command disconnect serves $disconnect: it removes the member and tells its peers.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
	"github.com/symphony-rt/symphony/internal/config"
)

func main() {
	h, err := compose.Routes(config.NeedStore | config.NeedSender)
	if err != nil {
		log.Fatalf("symphony disconnect: %v", err)
	}
	lambda.Start(h.Disconnect)
}
