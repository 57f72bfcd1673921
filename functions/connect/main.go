// Command connect serves $connect: it registers the member.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
	"github.com/symphony-rt/symphony/internal/config"
)

func main() {
	h, err := compose.Routes(config.NeedStore)
	if err != nil {
		log.Fatalf("symphony connect: %v", err)
	}
	lambda.Start(h.Connect)
}
