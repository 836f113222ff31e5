# akin tag, akin list --filter, akin search --filter, and the facts that akin info tells.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures/cats pictures/birds
cp "$stamps/animals/mammals/cats/"*.png pictures/cats
for picture in owl crow pelican seagull; do cp "$stamps/animals/birds/$picture.png" pictures/birds; done
cp "$stamps/animals/birds/owl.txt" pictures/birds
cat >pictures/birds/crow.xmp <<'XMP'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmp:Rating="4"
 exif:GPSLatitude="48,51.5N" exif:GPSLongitude="2,21E" exif:DateTimeOriginal="2021-05-04T10:20:30+02:00" tiff:Model="EOS 40D">
<dc:title><rdf:Alt><rdf:li>Corvus au marché</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>
XMP
run 0 --quiet index pictures

run 0 info pictures/birds/crow.png
says out 'taken      2021-05-04T10:20:30+02:00'
says out 'camera     EOS 40D'
says out 'place      48.858333, 2.350000'
says out 'title      Corvus au marché'
says out 'rating     4'
says out 'colours    '
run 0 info --json pictures/birds/crow.png
says out '"latitude":48.85833'
says out '"taken":"2021-05-04T10:20:30+02:00"'
run 0 info --json pictures/birds/owl.png
says out '"sidecar":"'

# What each filter finds, by the names of the files.
finds() {
	run "$([ -n "$2" ] && echo 0 || echo 1)" list --paths --filter "$1"
	same "$(sed 's,.*/,,; s,\.png$,,' out | sort | tr '\n' ' ')" "$2" "$1"
}
finds 'taken:2021-05' 'crow '
finds 'taken>2021-05-04' ''
finds 'near(48.85,2.35,2km) OR name:owl.png' 'crow owl '
finds 'box(48,2,49,3) rating>=4' 'crow '
finds 'camera:eos title:marche' 'crow '
finds 'folder:birds NOT has:rating' 'owl pelican seagull '
finds "folder:$PWD/pictures/birds name:*l.png" 'owl seagull '
finds 'width>100000' ''
run 0 list --filter 'label:cat OR label:猫'
run 0 list --filter 'folder:cats format:png bytes>1kB added:2020.. megapixels<20'

run 2 list --filter 'name:owl widht>3'
is err 'akin: the filter, column 10: there is no field "widht"; did you mean "width"?
  name:owl widht>3
           ^'
run 2 list --filter 'title:猫 bytes>lots'
says err 'column 15'
says err '                 ^'
run 2 search --filter '(' pictures/birds/owl.png
says err 'column 2'

run 0 tag Holiday pictures/birds/owl.png pictures/birds/crow.png
is err 'akin: 2 pictures tagged'
run 0 tag holiday pictures/birds/owl.png
is err 'akin: 0 pictures tagged'
run 0 tag
same "$(tr -s ' ' <out)" ' 2 Holiday' 'tags'
run 0 tag --json
is out '{"tag":"Holiday","pictures":2}'
finds 'tag:HOLIDAY' 'crow owl '
run 0 info pictures/birds/owl.png
says out 'tags       Holiday'
mv pictures/birds/owl.png pictures/birds/athene.png
run 0 --quiet index pictures
finds 'tag:holiday' 'athene crow '
run 0 tag --remove holiday pictures/birds/crow.png
finds 'tag:holiday' 'athene '
run 1 tag x pictures/birds/nothing.png
run 2 tag x
run 2 tag --add --remove x pictures/birds/crow.png
run 3 tag ' x' pictures/birds/crow.png
"$akin" list --filter folder:cats -0 | "$akin" --quiet tag -0 feline || fail 'tag -0'
run 0 list --paths --filter tag:feline
same "$(wc -l <out)" "$(find pictures/cats -name '*.png' | wc -l)" 'tagged cats'

run 0 search --paths --with-self --filter tag:holiday pictures/birds/crow.png
same "$(sed 's,.*/,,' out)" athene.png 'search among tags'
run 0 search --paths --filter 'folder:birds NOT tag:holiday' --in pictures -k 20 pictures/cats/"$(ls pictures/cats | head -n 1)"
same "$(sed 's,.*/,,' out | sort | tr '\n' ' ')" 'crow.png pelican.png seagull.png ' 'search below a folder with a filter'
run 1 search --filter tag:none pictures/birds/crow.png
says err 'fits tag:none'
run 0 check
done_testing
