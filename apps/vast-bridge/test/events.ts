/** Lines as Suricata 7.0 and 8.0, Zeek and OCSF producers write them; names and addresses are those set aside for documentation. */
const eve = (type: string, more: string): string =>
  `{"timestamp":"2026-03-04T05:06:07.891011+0000","flow_id":1840147514011873,"in_iface":"eth0","event_type":"${type}","src_ip":"192.0.2.10","src_port":51000,"dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","pkt_src":"wire/pcap",${more}}`;

export const lines = {
  suricata7: {
    query: eve("dns", String.raw`"tx_id":0,"dns":{"type":"query","id":4711,"rrname":"evil.example","rrtype":"A","tx_id":0,"opcode":0}`),
    answer: eve("dns", String.raw`"dns":{"version":2,"type":"answer","id":4711,"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,"rrname":"www.good.example","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"www.good.example","rrtype":"CNAME","ttl":60,"rdata":"cdn.evil.example"},{"rrname":"cdn.evil.example","rrtype":"A","ttl":60,"rdata":"203.0.113.9"}],"grouped":{"CNAME":["cdn.evil.example"],"A":["203.0.113.9"]}}`),
    http: eve("http", String.raw`"tx_id":0,"http":{"hostname":"evil.example","url":"\/gate.php?id=7","http_user_agent":"Mozilla\/5.0","http_content_type":"text\/html","http_refer":"http:\/\/Portal.example\/start","http_method":"GET","protocol":"HTTP\/1.1","status":200,"length":3251}`),
    tls: eve("tls", String.raw`"tls":{"subject":"CN=good.example","issuerdn":"C=US, O=Example, CN=Example CA","serial":"0A:0B","fingerprint":"4d:b1:aa:2f:cb:7e:41:51:08:e3:c1:0b:8e:24:67:2f:b1:4e:0b:2d","sni":"login.evil.example","version":"TLS 1.3","notbefore":"2025-12-01T00:00:00","notafter":"2026-12-01T00:00:00","ja3":{"hash":"e7d705a3286e19ea42f587b344ee6865","string":"771,4865-4866,0-23,29-23,0"},"ja3s":{"hash":"ec74a5c51106f0419184d0dd08fb05bc","string":"771,4865,43-51"}}`),
    fileinfo: eve("fileinfo", String.raw`"http":{"hostname":"good.example","url":"\/a.exe","http_method":"GET","protocol":"HTTP\/1.1","status":200,"length":1},"app_proto":"http","fileinfo":{"filename":"\/a.exe","gaps":false,"state":"CLOSED","md5":"9e107d9d372bb6826bd81d3542a419d6","sha1":"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12","sha256":"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592","stored":false,"size":43,"tx_id":0}`),
    smtp: eve("smtp", String.raw`"smtp":{"helo":"mail.good.example","mail_from":"<billing@invoice.example>","rcpt_to":["<ann@good.example>"]},"email":{"status":"PARSE_DONE","from":"Billing <Billing@Invoice.example>","to":["Ann <ann@good.example>","bo@good.example"],"attachment":["invoice.zip"],"url":["evil.example/click"]}`),
    flow6: `{"timestamp":"2026-03-04T05:06:08.000001+0000","flow_id":2,"event_type":"flow","src_ip":"2001:0db8:0000:0000:0000:0000:0000:0010","src_port":1,"dest_ip":"2001:0db8:0bad:0000:0000:0000:0000:0001","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":1,"start":"2026-03-04T05:06:07.000001+0000","state":"new","alerted":false}}`,
    proxy: eve("http", String.raw`"http":{"hostname":"evil.example","url":"http:\/\/evil.example\/gate.php","http_method":"GET","protocol":"HTTP\/1.1"}`),
  },
  suricata8: {
    request: eve("dns", String.raw`"dns":{"version":3,"type":"request","tx_id":0,"id":4711,"flags":"100","rd":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"evil.example","rrtype":"AAAA"}]}`),
    response: eve("dns", String.raw`"dns":{"version":3,"type":"response","tx_id":1,"id":4711,"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"www.good.example","rrtype":"AAAA"}],"answers":[{"rrname":"www.good.example","rrtype":"AAAA","ttl":60,"rdata":"2001:0db8:0bad:0000:0000:0000:0000:0001"}],"additionals":[{"rrname":"ns.evil.example","rrtype":"A","ttl":60,"rdata":"203.0.113.53"}]}`),
    tls: eve("tls", String.raw`"tls":{"sni":"good.example","version":"TLS 1.3","subjectaltname":["good.example","alt.evil.example"],"ja4":"t13d1516h2_8daaf6152771_b186095e22b6"}`),
    quic: eve("quic", String.raw`"quic":{"version":"1","sni":"quic.evil.example","ja3":{"hash":"e7d705a3286e19ea42f587b344ee6865","string":"771,4865"},"ja4":"q13d0310h3_55b375c5d22e_cd85d2d88918"}`),
    alert: eve("alert", String.raw`"alert":{"action":"allowed","gid":1,"signature_id":1,"rev":1,"signature":"ET \"quoted\"","category":"","severity":1,"source":{"ip":"203.0.113.66","port":1},"target":{"ip":"192.0.2.10","port":2}},"files":[{"filename":"a","sha256":"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592","gaps":false,"size":1}]`),
  },
  zeek: {
    conn: String.raw`{"_path":"conn","ts":1772600767.891011,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"192.0.2.10","id.orig_p":51000,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp","conn_state":"SF","local_orig":true,"missed_bytes":0,"history":"ShADadfF"}`,
    dns: String.raw`{"ts":"2026-03-04T05:06:07.891011Z","uid":"C1","id.orig_h":"192.0.2.10","id.orig_p":51000,"id.resp_h":"192.0.2.53","id.resp_p":53,"proto":"udp","trans_id":1,"query":"www.good.example","qclass":1,"qtype":1,"rcode":0,"AA":false,"answers":["cdn.evil.example","203.0.113.9"],"TTLs":[60.0,60.0],"rejected":false}`,
    http: String.raw`{"ts":1772600767.891011,"uid":"C2","id.orig_h":"192.0.2.10","id.orig_p":51000,"id.resp_h":"198.51.100.7","id.resp_p":8080,"trans_depth":1,"method":"GET","host":"evil.example","uri":"/gate.php?id=7","referrer":"http://portal.example/start","version":"1.1","user_agent":"Mozilla/5.0","request_body_len":0,"status_code":200,"tags":[]}`,
    ssl: String.raw`{"ts":1772600767.891011,"uid":"C3","id.orig_h":"192.0.2.10","id.orig_p":1,"id.resp_h":"198.51.100.7","id.resp_p":443,"version":"TLSv13","server_name":"LOGIN.evil.example","established":true,"cert_chain_fps":["d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"],"ja3":"e7d705a3286e19ea42f587b344ee6865","ja3s":"ec74a5c51106f0419184d0dd08fb05bc"}`,
    files: String.raw`{"ts":1772600767.891011,"fuid":"F1","tx_hosts":["203.0.113.9"],"rx_hosts":["192.0.2.10"],"source":"HTTP","md5":"9e107d9d372bb6826bd81d3542a419d6","sha1":"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"}`,
    smtp: String.raw`{"ts":1772600767.891011,"uid":"C4","id.orig_h":"192.0.2.10","id.orig_p":1,"id.resp_h":"192.0.2.25","id.resp_p":25,"helo":"mail.good.example","mailfrom":"billing@invoice.example","rcptto":["ann@good.example"],"from":"Billing <billing@invoice.example>","to":["<ann@good.example>"],"path":["192.0.2.25","203.0.113.9"],"tls":false}`,
    /** As Tenzir gives it back. */
    nested: String.raw`{"ts":"2026-03-04T05:06:07.891011Z","uid":"C5","id":{"orig_h":"192.0.2.10","orig_p":1,"resp_h":"203.0.113.9","resp_p":443},"proto":"tcp"}`,
  },
  ocsf: {
    dns: String.raw`{"class_uid":4003,"class_name":"DNS Activity","time":1772600767891,"src_endpoint":{"ip":"192.0.2.10","port":1},"dst_endpoint":{"ip":"192.0.2.53","port":53},"query":{"hostname":"evil.example","type":"A"},"answers":[{"rdata":"203.0.113.9","type":"A"}]}`,
    http: String.raw`{"class_uid":4002,"class_name":"HTTP Activity","time":1772600767891,"http_request":{"url":{"url_string":"https://user@EVIL.example:443/gate.php#top","hostname":"evil.example","path":"/gate.php"}},"tls":{"ja3_hash":{"algorithm_id":1,"value":"E7D705A3286E19EA42F587B344EE6865"}}}`,
    file: String.raw`{"class_uid":1001,"class_name":"File System Activity","time":1772600767891,"file":{"name":"a","hashes":[{"algorithm_id":1,"value":"9e107d9d372bb6826bd81d3542a419d6"},{"algorithm_id":3,"value":"D7A8FBB307D7809469CA9ABCB0082E4F8D5651E46D3CDB762D02D0BF37C9E592"}]}}`,
  },
} as const;

export const everyLine: readonly string[] = Object.values(lines).flatMap((tool) => Object.values(tool));
