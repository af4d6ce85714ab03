##! Threat Bus for Zeek: takes indicators from a bus into the Intel framework, and reports what is seen of them. The other end is
##! the plugin @threatbus/zeek. Works natively (Broker) and over WebSocket, alone and in clusters of either backend; of a cluster,
##! only the manager speaks with Threat Bus. Zeek 5.0 and later.

@load base/frameworks/cluster
@load base/frameworks/intel
@load base/frameworks/reporter
@load base/utils/version
@load policy/frameworks/intel/seen

module Tenzir;

export {
	## What Threat Bus tells about one value. Its five fields are those of the first Threat Bus; more would not be understood.
	type Intelligence: record {
		## When the indicator was created.
		ts: time;
		## Its STIX id.
		id: string;
		## A type of the Intel framework, without its module: "DOMAIN".
		intel_type: string;
		indicator: string;
		## "ADD" or "REMOVE".
		operation: string;
	};

	## How the connection comes about:
	##
	## - "native": this Zeek dials Threat Bus at *broker_host* and *broker_port*.
	## - "listen": Threat Bus dials this Zeek at *listen_address* and *listen_port* (its option `peers`).
	## - "websocket": Threat Bus connects to a WebSocket server that this script opens at *listen_address* and *listen_port*.
	## - "none": as "websocket", but the server is opened elsewhere, e.g. by zeekctl.
	## - "auto": "none" in a cluster from Zeek 8.1 on, where zeekctl opens one on the manager, else "native".
	const transport = "auto" &redef;

	const broker_host = "127.0.0.1" &redef;
	const broker_port = 47761/tcp &redef;

	const listen_address = 127.0.0.1 &redef;
	const listen_port = 47762/tcp &redef;

	## How far back to ask for indicators when subscribing. 0 for none.
	option snapshot_intel: interval = 0 sec &redef;

	## Report what is seen.
	option report_sightings = T &redef;

	## Matches of one indicator within a second from which on it is noisy: one sighting says so, the rest of that second is silent.
	## 0 for never.
	option noisy_intel_threshold = 100 &redef;

	## Log what is done to reporter.log.
	option log_operations = T &redef;

	## Topics, as in Threat Bus.
	const intel_topic = "stix2/indicator" &redef;
	const sighting_topic = "stix2/sighting" &redef;
	const management_topic = "threatbus/manage" &redef;

	## Marks items of the Intel framework that came from Threat Bus, in their metadata's *url*.
	const tb_intel_tag = "threatbus" &redef;

	## From Threat Bus: one value to add or remove.
	global intel: event(item: Intelligence);

	## From Threat Bus: the subscription stands, its indicators come on this topic.
	global subscription_acknowledged: event(topic: string);

	## To Threat Bus. *features* holds "separate": several indicators of one value are kept apart here, each has its own removal.
	global subscribe: event(topic: string, snapshot_intel: interval, features: vector of string);

	## To Threat Bus: no more on that topic.
	global unsubscribe: event(topic: string);

	## To Threat Bus: an indicator was seen.
	global sighting: event(ts: time, intel_id: string, context: table[string] of any);
}

# Of a cluster, only the manager has all of the Intel framework's data.
@if ( ! Cluster::is_enabled() || Cluster::local_node_type() == Cluster::MANAGER )

const intel_types: table[string] of Intel::Type = {
	["ADDR"] = Intel::ADDR,
	["SUBNET"] = Intel::SUBNET,
	["URL"] = Intel::URL,
	["SOFTWARE"] = Intel::SOFTWARE,
	["EMAIL"] = Intel::EMAIL,
	["DOMAIN"] = Intel::DOMAIN,
	["USER_NAME"] = Intel::USER_NAME,
	["CERT_HASH"] = Intel::CERT_HASH,
	["PUBKEY_HASH"] = Intel::PUBKEY_HASH,
	["FILE_HASH"] = Intel::FILE_HASH,
	["FILE_NAME"] = Intel::FILE_NAME,
};

# Threat Buses that are connected, by the ids of their endpoints.
global native_peers: set[string];
global websocket_clients: set[string];

# Peers of a cluster's manager that may be nodes of it: these say so within a moment (Cluster::hello).
global unknown_peers: set[string];
const settling = 2 sec;
global peer_settled: event(id: string);

# Where indicators come, once acknowledged.
global p2p_topic = "";

# Matches within the last second, by indicator.
global matches: table[string] of count &default=0 &create_expire=1sec;

function note_operation(text: string)
	{
	if ( log_operations )
		Reporter::info(text);
	}

# ---------- sending ----------------------------------------------------------
#
# What goes to a native peer leaves through Broker whatever the cluster's backend is; what goes to a WebSocket client through the cluster's
# backend, where there is one. With Broker as backend the two are one, and nothing may be sent twice.

function by_cluster(): bool
	{
@ifdef ( Cluster::publish )
	return |websocket_clients| > 0;
@else
	return F;
@endif
	}

function by_broker(): bool
	{
	if ( |native_peers| == 0 )
		return F;
@ifdef ( Cluster::CLUSTER_BACKEND_BROKER )
	return ! ( by_cluster() && Cluster::backend == Cluster::CLUSTER_BACKEND_BROKER );
@else
	return ! by_cluster();
@endif
	}

function send_subscribe()
	{
	local features: vector of string = vector("separate");
	note_operation(fmt("threatbus: subscribing to %s", intel_topic));
@ifdef ( Cluster::publish )
	if ( by_cluster() )
		Cluster::publish(management_topic, Tenzir::subscribe, intel_topic, snapshot_intel, features);
@endif
@ifdef ( Broker::publish )
	if ( by_broker() )
		Broker::publish(management_topic, Tenzir::subscribe, intel_topic, snapshot_intel, features);
@endif
	}

function send_unsubscribe()
	{
	if ( p2p_topic == "" )
		return;
@ifdef ( Cluster::publish )
	if ( by_cluster() )
		Cluster::publish(management_topic, Tenzir::unsubscribe, p2p_topic);
@endif
@ifdef ( Broker::publish )
	if ( by_broker() )
		Broker::publish(management_topic, Tenzir::unsubscribe, p2p_topic);
@endif
	p2p_topic = "";
	}

function send_sighting(id: string, context: table[string] of any)
	{
@ifdef ( Cluster::publish )
	if ( by_cluster() )
		Cluster::publish(sighting_topic, Tenzir::sighting, current_time(), id, context);
@endif
@ifdef ( Broker::publish )
	if ( by_broker() )
		Broker::publish(sighting_topic, Tenzir::sighting, current_time(), id, context);
@endif
	}

# ---------- connections ------------------------------------------------------

function transport_in_use(): string
	{
	if ( transport != "auto" )
		return transport;
@if ( Version::at_least("8.1.0") )
	if ( Cluster::is_enabled() )
		return "none";
@endif
	return "native";
	}

event zeek_init()
	{
	# A topic's prefix covers the topics that Threat Bus acknowledges: nothing can come too early.
@ifdef ( Cluster::subscribe )
	Cluster::subscribe(management_topic);
	Cluster::subscribe(intel_topic);
@endif
@ifdef ( Broker::subscribe )
	Broker::subscribe(management_topic);
	Broker::subscribe(intel_topic);
@endif

	local way = transport_in_use();

	if ( way == "native" )
		{
		note_operation(fmt("threatbus: dialling %s:%s", broker_host, broker_port));
@ifdef ( Broker::peer )
		Broker::peer(broker_host, broker_port, 5sec);
@else
		Reporter::error("threatbus: this Zeek is built without Broker; set Tenzir::transport to \"websocket\"");
@endif
		}

	else if ( way == "listen" )
		{
@ifdef ( Broker::listen )
		Broker::listen(cat(listen_address), listen_port);
@endif
		}

	else if ( way == "websocket" )
		{
@if ( Version::at_least("8.0.0") )
		Cluster::listen_websocket([$listen_addr=listen_address, $listen_port=listen_port]);
@else
@if ( Version::at_least("7.2.0") )
		Cluster::listen_websocket([$listen_host=cat(listen_address), $listen_port=listen_port]);
@else
		Broker::listen_websocket(cat(listen_address), listen_port);
@endif
@endif
		}
	}

@ifdef ( Broker::peer_added )
# Whether Threat Bus comes as a Broker peer that dials. WebSocket clients of Broker's own server, up to Zeek 7.1, look like such.
function is_dialled(): bool
	{
	local way = transport_in_use();
@if ( ! Version::at_least("7.2.0") )
	if ( way == "websocket" )
		return T;
@endif
	return way == "listen";
	}

function is_cluster_node(id: string): bool
	{
	for ( name in Cluster::nodes )
		{
		if ( Cluster::nodes[name]?$id && Cluster::nodes[name]$id == id )
			return T;
		}
	return F;
	}

function greet(id: string)
	{
	add native_peers[id];
	send_subscribe();
	}

event Broker::peer_added(endpoint: Broker::EndpointInfo, msg: string)
	{
	if ( is_dialled() )
		{
		if ( ! Cluster::is_enabled() )
			{
			greet(endpoint$id);
			return;
			}
		# All nodes of a cluster dial its manager, too: one subscription is enough.
		add unknown_peers[endpoint$id];
		schedule settling { Tenzir::peer_settled(endpoint$id) };
		}
	else if ( transport_in_use() == "native" && endpoint?$network && endpoint$network$bound_port == broker_port )
		greet(endpoint$id);
	}

event Tenzir::peer_settled(id: string)
	{
	if ( id !in unknown_peers )
		return;
	delete unknown_peers[id];
	if ( ! is_cluster_node(id) )
		greet(id);
	}

event Broker::peer_lost(endpoint: Broker::EndpointInfo, msg: string)
	{
	delete unknown_peers[endpoint$id];
	if ( endpoint$id !in native_peers )
		return;
	delete native_peers[endpoint$id];
	p2p_topic = "";
	note_operation("threatbus: connection lost");
	}
@endif

@if ( Version::at_least("7.2.0") )
# A WebSocket client that asks for the management topic is a Threat Bus.
event Cluster::websocket_client_added(endpoint: Cluster::EndpointInfo, subscriptions: string_vec)
	{
	for ( i in subscriptions )
		{
		if ( subscriptions[i] != management_topic )
			next;
		add websocket_clients[endpoint$id];
		send_subscribe();
		return;
		}
	}

function websocket_client_gone(id: string)
	{
	if ( id !in websocket_clients )
		return;
	delete websocket_clients[id];
	p2p_topic = "";
	note_operation("threatbus: connection lost");
	}

@if ( Version::at_least("8.0.0") )
event Cluster::websocket_client_lost(endpoint: Cluster::EndpointInfo, code: count, reason: string)
	{
	websocket_client_gone(endpoint$id);
	}
@else
event Cluster::websocket_client_lost(endpoint: Cluster::EndpointInfo)
	{
	websocket_client_gone(endpoint$id);
	}
@endif
@endif

event zeek_done() &priority=1
	{
	send_unsubscribe();
	}

event Tenzir::subscription_acknowledged(topic: string)
	{
	p2p_topic = topic;
	note_operation(fmt("threatbus: subscribed, indicators come on %s", topic));
	}

# ---------- indicators -------------------------------------------------------

# What Zeek's functions cannot read as a subnet becomes ::/0, with an error in the log alone: it would match every address. So would 0.0.0.0/0, and blocks of IPv6
# that hold ::ffff:0:0/96, where Zeek has the addresses of IPv4, match all of these. Threat Bus checks as well; this is for whoever else publishes on the topic.
function is_usable_subnet(value: string): bool
	{
	if ( /[0-9a-fA-F:.]+\/[0-9]{1,3}/ != value )
		return F;
	local parts = split_string1(value, /\//);
	local longest = /:/ in parts[0] ? 128 : 32;
	if ( ! is_valid_ip(parts[0]) || to_count(parts[1]) > longest )
		return F;
	local block = to_subnet(value);
	return ! ( 0.0.0.0 in block && 255.255.255.255 in block );
	}

function is_valid_value(intel_type: string, value: string): bool
	{
	if ( intel_type == "ADDR" )
		return is_valid_ip(value);
	if ( intel_type == "SUBNET" )
		return is_usable_subnet(value);
	return value != "";
	}

# The source tells items apart: with one for each indicator, removing one leaves the others, and what other feeds added.
function item_of(item: Intelligence): Intel::Item
	{
	local meta = Intel::MetaData($source=fmt("%s %s", tb_intel_tag, item$id), $desc=item$id, $url=tb_intel_tag);
	return Intel::Item($indicator=item$indicator, $indicator_type=intel_types[item$intel_type], $meta=meta);
	}

event Tenzir::intel(item: Intelligence)
	{
	if ( item$intel_type !in intel_types || ! is_valid_value(item$intel_type, item$indicator) )
		{
		Reporter::warning(fmt("threatbus: left out %s %s of %s", item$intel_type, item$indicator, item$id));
		return;
		}

	if ( item$operation == "ADD" )
		Intel::insert(item_of(item));
	else if ( item$operation == "REMOVE" )
		Intel::remove(item_of(item), F);
	else
		{
		Reporter::warning(fmt("threatbus: unknown operation %s", item$operation));
		return;
		}

	note_operation(fmt("threatbus: %s %s %s", item$operation, item$intel_type, item$indicator));
	}

# ---------- sightings --------------------------------------------------------

function context_of(seen: Intel::Seen, noisy: bool): table[string] of any
	{
	local context: table[string] of any;
	context["noisy"] = noisy;
	context["where"] = cat(seen$where);
	if ( seen?$indicator )
		context["indicator"] = seen$indicator;
	if ( seen?$indicator_type )
		context["indicator_type"] = cat(seen$indicator_type);
	if ( seen?$node )
		context["node"] = seen$node;
	if ( seen?$conn )
		{
		context["uid"] = seen$conn$uid;
		context["orig_h"] = seen$conn$id$orig_h;
		context["orig_p"] = seen$conn$id$orig_p;
		context["resp_h"] = seen$conn$id$resp_h;
		context["resp_p"] = seen$conn$id$resp_p;
		}
	else if ( seen?$uid )
		context["uid"] = seen$uid;
	if ( seen?$fuid )
		context["fuid"] = seen$fuid;
	return context;
	}

event Intel::match(s: Intel::Seen, items: set[Intel::Item])
	{
	if ( ! report_sightings )
		return;
	for ( item in items )
		{
		# Only what came from Threat Bus is its business.
		if ( ! item$meta?$url || item$meta$url != tb_intel_tag || ! item$meta?$desc )
			next;
		local id = item$meta$desc;
		local n = ++matches[id];
		if ( noisy_intel_threshold != 0 && n > noisy_intel_threshold + 1 )
			next;
		send_sighting(id, context_of(s, noisy_intel_threshold != 0 && n > noisy_intel_threshold));
		}
	}

@endif
