"""The URLs at which Chime SDK identity and messaging answer.

moto's server derives the third host from the signing name that both services share.
"""

from __future__ import annotations

from scanner.simulator.responses import ChimeSDKIdentityResponse, ChimeSDKMessagingResponse

url_bases = [
    r"https?://identity-chime\.(.+)\.amazonaws\.com",
    r"https?://messaging-chime\.(.+)\.amazonaws\.com",
    r"https?://chime\.(.+)\.amazonaws\.com",
]

url_paths = {
    "{0}/app-instances$": ChimeSDKIdentityResponse.dispatch,
    "{0}/app-instances/(?P<app_instance>.+)$": ChimeSDKIdentityResponse.dispatch,
    "{0}/channel-flows$": ChimeSDKMessagingResponse.dispatch,
    "{0}/channel-flows/(?P<channel_flow>.+)$": ChimeSDKMessagingResponse.dispatch,
    "{0}/channels$": ChimeSDKMessagingResponse.dispatch,
    "{0}/channels/(?P<channel>.+)$": ChimeSDKMessagingResponse.dispatch,
    "{0}/tags$": ChimeSDKMessagingResponse.dispatch,
}
