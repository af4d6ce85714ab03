# For the tests with a real Zeek: which values of subnets the package takes.

module Tenzir;

event zeek_init() &priority=-10
	{
	for ( _, value in vector("192.0.2.0/24", "2001:db8::/32", "8000::/1", "::/96", "0.0.0.0/0", "1.2.3.4/99", "::/0", "::/1", "::1/64", "::ffff:0:0/90", "1.2.3/24", "x", "") )
		print fmt("[%s] %s", value, is_valid_value("SUBNET", value));
	terminate();
	}
