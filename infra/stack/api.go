package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	gw "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	authorizers "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	integrations "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/config"
)

// addAPI adds the WebSocket API, its routes and its one stage.
func (s *Stack) addAPI() {
	integration := func(name string) gw.WebSocketRouteIntegration {
		return integrations.NewWebSocketLambdaIntegration(jsii.String("Integration-"+name), s.Functions[name], nil)
	}
	s.API = gw.NewWebSocketApi(s.Root, jsii.String("Api"), &gw.WebSocketApiProps{
		ApiName:     jsii.String(s.Options.Name()),
		Description: jsii.String("Symphony rooms, stage " + s.Options.Stage),
		// Frames are base64, not JSON: nothing selects a route, so every message
		// goes to $default.
		RouteSelectionExpression: jsii.String("$request.body.action"),
		ConnectRouteOptions: &gw.WebSocketRouteOptions{
			Integration: integration("connect"),
			// The room is the only identity source: with one missing API Gateway
			// answers 401 without running the authorizer, and the token may come
			// in the query or as a subprotocol.
			Authorizer: authorizers.NewWebSocketLambdaAuthorizer(jsii.String("Authorizer"), s.Functions["authorize"],
				&authorizers.WebSocketLambdaAuthorizerProps{IdentitySource: jsii.Strings("route.request.querystring.room")}),
		},
		DefaultRouteOptions: &gw.WebSocketRouteOptions{
			Integration: integration("message"),
			// Acknowledgements and replies travel back as the route response,
			// which costs no call of the management API.
			ReturnResponse: jsii.Bool(true),
		},
		DisconnectRouteOptions: &gw.WebSocketRouteOptions{Integration: integration("disconnect")},
	})
	s.addStage()
	for _, name := range []string{"message", "fanout", "disconnect"} { // nobody else posts
		s.Functions[name].AddEnvironment(jsii.String(config.EnvManagement), s.Stage.CallbackUrl(), nil)
	}
	s.addDomain()
}

// accessLog is one line per connect, message and disconnect; no query string,
// because a token may be in it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
const accessLog = `{"requestId":"$context.requestId","connectionId":"$context.connectionId","route":"$context.routeKey",` +
	`"status":"$context.status","user":"$context.authorizer.user","ip":"$context.identity.sourceIp",` +
	`"latency":"$context.integrationLatency","error":"$context.error.message","integrationError":"$context.integration.error"}`

func (s *Stack) addStage() {
	props := &gw.WebSocketStageProps{
		WebSocketApi:           s.API,
		StageName:              jsii.String(s.Options.Stage),
		AutoDeploy:             jsii.Bool(true),
		DetailedMetricsEnabled: jsii.Bool(true),
	}
	if s.Options.Rate > 0 {
		props.Throttle = &gw.ThrottleSettings{RateLimit: jsii.Number(s.Options.Rate), BurstLimit: jsii.Number(s.Options.Burst)}
	}
	s.Stage = gw.NewWebSocketStage(s.Root, jsii.String("Stage"), props)
	if s.Options.AccessLogs {
		s.addAccessLogs()
	}
}

func (s *Stack) addAccessLogs() {
	logs := s.logGroup("AccessLogs", "/aws/apigateway/"+s.Options.Name())
	s.Stage.Node().DefaultChild().(gw.CfnStage).SetAccessLogSettings(&gw.CfnStage_AccessLogSettingsProperty{
		DestinationArn: logs.LogGroupArn(), Format: jsii.String(accessLog),
	})
	if !s.Options.AccountLogging {
		return
	}
	// API Gateway writes logs with one role per account and region, whichever
	// stack set it last (docs/DEPLOY.md, "Several stages").
	role := awsiam.NewRole(s.Root, jsii.String("Role-apigateway-logs"), &awsiam.RoleProps{
		AssumedBy:       awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AmazonAPIGatewayPushToCloudWatchLogs"))},
	})
	account := awsapigateway.NewCfnAccount(s.Root, jsii.String("ApiGatewayAccount"), &awsapigateway.CfnAccountProps{CloudWatchRoleArn: role.RoleArn()})
	s.Stage.Node().AddDependency(account)
}

// addDomain puts the stage under the user's own name.
func (s *Stack) addDomain() {
	if s.Options.Domain == "" {
		return
	}
	domain := gw.NewDomainName(s.Root, jsii.String("Domain"), &gw.DomainNameProps{
		DomainName:     jsii.String(s.Options.Domain),
		Certificate:    awscertificatemanager.Certificate_FromCertificateArn(s.Root, jsii.String("Certificate"), jsii.String(s.Options.Certificate)),
		SecurityPolicy: gw.SecurityPolicy_TLS_1_2,
	})
	gw.NewApiMapping(s.Root, jsii.String("Mapping"), &gw.ApiMappingProps{Api: s.API, DomainName: domain, Stage: s.Stage})
	awscdk.NewCfnOutput(s.Root, jsii.String("DomainTarget"), &awscdk.CfnOutputProps{
		Value: domain.RegionalDomainName(), Description: jsii.String("Point " + s.Options.Domain + " here (CNAME or alias), unless -c zone did it"),
	})
	if s.Options.Zone == "" {
		return
	}
	zone := awsroute53.HostedZone_FromHostedZoneAttributes(s.Root, jsii.String("Zone"), &awsroute53.HostedZoneAttributes{
		HostedZoneId: jsii.String(s.Options.Zone), ZoneName: jsii.String(s.Options.Domain),
	})
	awsroute53.NewARecord(s.Root, jsii.String("Record"), &awsroute53.ARecordProps{
		Zone: zone, RecordName: jsii.String(s.Options.Domain + "."),
		Target: awsroute53.RecordTarget_FromAlias(awsroute53targets.NewApiGatewayv2DomainProperties(domain.RegionalDomainName(), domain.RegionalHostedZoneId())),
	})
}
