# For the tests with a real Zeek: reads its pcap once the first indicator is in, and looks once more for what was removed.

redef exit_only_after_terminate = T;

global reading = F;

event zeek_init()
	{
	suspend_processing();
	}

event Tenzir::intel(item: Tenzir::Intelligence) &priority=-10
	{
	print fmt("%s %s %s", item$operation, item$intel_type, item$indicator);
	if ( item$operation == "ADD" )
		{
		if ( ! reading )
			continue_processing();
		reading = T;
		}
	else
		Intel::seen([$indicator=item$indicator, $indicator_type=Intel::DOMAIN, $where=Intel::IN_ANYWHERE]);
	}
