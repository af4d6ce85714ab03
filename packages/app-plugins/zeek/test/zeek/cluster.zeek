# For the tests with a real Zeek: says of a cluster's manager when a node is up, and when it has been for longer than the package waits for its name.

global settled: event(name: string);

event settled(name: string)
	{
	print fmt("settled %s", name);
	}

event Cluster::node_up(name: string, id: string)
	{
	print fmt("up %s", name);
	schedule 4 sec { settled(name) };
	}
