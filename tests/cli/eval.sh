#!/usr/bin/env bash
# akin eval: the measures as text, JSON and report; the scratch library makes the second run quick.
. "$SRC/tests/cli/support.bash"
need_engine
unset AKIN_LIBRARY

mkdir -p pictures
{
	echo path,label,size
	for folder in animals/birds food/fruit; do
		for picture in "$stamps/$folder"/*.png; do
			name=$(basename "$folder")-$(basename "$picture")
			cp "$picture" "pictures/$name"
			echo "$name,$(basename "$folder"),big"
		done
	done
	echo 'gone.png,birds,big'
} >pictures/labels.csv

run 0 eval pictures/labels.csv
says out 'mAP'
says out 'fruit'
says err 'added'
run 0 eval --json --html report.html pictures/labels.csv
says err ' unchanged'
python3 -c '
import json
m = json.load(open("out"))
assert set(m) >= {"map", "precision", "recall", "ndcg", "r_precision", "queries", "seconds", "classes"}, m
assert set(m["precision"]) == {"1", "5", "10", "100"} and 0.5 < m["map"] <= 1, m
assert set(m["classes"]) == {"birds", "fruit"} and m["classes"]["birds"]["queries"] > 5, m
assert m["queries"] == sum(c["queries"] for c in m["classes"].values()), m
' || fail 'JSON of eval'
python3 -c '
import html.parser, re
page = open("report.html", encoding="utf-8").read()
assert "<script" not in page and page.count("data:image/jpeg;base64,") > 20 and "prefers-color-scheme" in page
assert not re.search("(src|href)=\"(?!data:)", page)
class Balance(html.parser.HTMLParser):
    open_tags = []
    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "br"): self.open_tags.append(tag)
    def handle_endtag(self, tag): assert self.open_tags.pop() == tag, tag
b = Balance()
b.feed(page)
assert not b.open_tags, b.open_tags
' || fail 'HTML of eval'
run 0 eval --label label --label size --json pictures/labels.csv
says out 'birds / big'
run 3 eval --label colour pictures/labels.csv
run 3 eval --html /no/such/folder/report.html pictures/labels.csv
done_testing
