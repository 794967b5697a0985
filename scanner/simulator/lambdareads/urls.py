"""The URLs at which AWS Lambda answers."""

from __future__ import annotations

from scanner.simulator.lambdareads.responses import LambdaReadsResponse

url_bases = [r"https?://lambda\.(.+)\.amazonaws\.com"]

url_paths = {
    "{0}/2015-03-31/functions/(?P<function_name>[^/]+)/configuration$": LambdaReadsResponse.dispatch,
    "{0}/2015-03-31/functions/(?P<function_name>[^/]+)/policy$": LambdaReadsResponse.dispatch,
    "{0}/2021-10-31/functions/(?P<function_name>[^/]+)/url$": LambdaReadsResponse.dispatch,
    "{0}/2019-09-30/functions/(?P<function_name>[^/]+)/concurrency$": LambdaReadsResponse.dispatch,
    "{0}/2019-09-25/functions/(?P<function_name>[^/]+)/event-invoke-config$": LambdaReadsResponse.dispatch,
}
