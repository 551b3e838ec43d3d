select round(cast(erfc(abs(cast(z as double precision)) / sqrt(cast(2 as double precision))) as numeric), 10)
