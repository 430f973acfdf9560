module skerry

go 1.26
