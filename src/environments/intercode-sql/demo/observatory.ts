/** Telescopes, astronomers, targets in the sky and what was observed when. Invented for Crux. */
export const observatory = `
USE observatory;
CREATE TABLE telescope (
  telescope_id int NOT NULL AUTO_INCREMENT,
  name varchar(50) NOT NULL,
  aperture_m double DEFAULT NULL,
  kind varchar(20) DEFAULT NULL,
  first_light_year int DEFAULT NULL,
  PRIMARY KEY (telescope_id)
);
INSERT INTO telescope VALUES
(1, 'Hollow Peak Reflector', 2.4, 'reflector', 1994),
(2, 'Little Lantern', 0.6, 'refractor', 1968),
(3, 'Twin Ridge A', 3.5, 'reflector', 2008),
(4, 'Twin Ridge B', 3.5, 'reflector', 2009),
(5, 'Valley Dish', 25.0, 'radio', 1982),
(6, 'Quiet Dish', 18.0, 'radio', 2001),
(7, 'Dawn Camera', 0.9, 'reflector', 2017),
(8, 'Copper Tube', 0.4, 'refractor', 1951),
(9, 'Meadow Array', NULL, 'radio', 2014),
(10, 'Sentinel', 1.2, 'reflector', NULL);
CREATE TABLE astronomer (
  astronomer_id int NOT NULL AUTO_INCREMENT,
  name varchar(50) NOT NULL,
  institute varchar(50) DEFAULT NULL,
  country varchar(40) DEFAULT NULL,
  joined_year int DEFAULT NULL,
  PRIMARY KEY (astronomer_id)
);
INSERT INTO astronomer VALUES
(1, 'Ilse Maren', 'Vantor Institute', 'Norvane', 2001),
(2, 'Piet Okoro', 'Vantor Institute', 'Tilland', 2010),
(3, 'Runa Sollis', 'Harrow College', 'Norvane', 1995),
(4, 'Dario Quenby', 'Harrow College', 'Ostmark', 2016),
(5, 'Mei Tarrant', 'Eastmoor Observatory', 'Ostmark', 2007),
(6, 'Jonas Field', 'Eastmoor Observatory', 'Norvane', 2019),
(7, 'Amara Lindqvist', 'Vantor Institute', 'Ostmark', 1989),
(8, 'Teodor Vale', NULL, 'Tilland', 2012),
(9, 'Saskia Brand', 'Harrow College', 'Tilland', 2004),
(10, 'Noor Hadley', 'Eastmoor Observatory', 'Norvane', 2021);
CREATE TABLE target (
  target_id int NOT NULL AUTO_INCREMENT,
  name varchar(50) NOT NULL,
  class varchar(20) DEFAULT NULL,
  magnitude double DEFAULT NULL,
  distance_ly double DEFAULT NULL,
  PRIMARY KEY (target_id)
);
INSERT INTO target VALUES
(1, 'Sorrel Nebula', 'nebula', 8.2, 1300.0),
(2, 'Kestrel Cluster', 'cluster', 5.9, 450.0),
(3, 'HV-1107', 'star', 11.4, 92.5),
(4, 'Anvil Galaxy', 'galaxy', 10.1, NULL),
(5, 'Pale Ring', 'nebula', 9.7, 2100.0),
(6, 'Tarn Double', 'star', 4.3, 38.0),
(7, 'Loom Galaxy', 'galaxy', 12.8, NULL),
(8, 'Fen Cluster', 'cluster', 7.1, 800.0),
(9, 'Ember', 'star', 2.2, 11.5),
(10, 'Cradle Nebula', 'nebula', 6.4, 1550.0),
(11, 'Spindle Drift', 'galaxy', 11.9, NULL),
(12, 'HV-2210', 'star', 13.6, 140.2);
CREATE TABLE observation (
  observation_id int NOT NULL AUTO_INCREMENT,
  telescope_id int NOT NULL,
  astronomer_id int NOT NULL,
  target_id int NOT NULL,
  started_at datetime DEFAULT NULL,
  exposure_minutes int DEFAULT NULL,
  quality varchar(10) DEFAULT NULL,
  PRIMARY KEY (observation_id),
  KEY observation_telescope_id (telescope_id),
  KEY observation_astronomer_id (astronomer_id),
  KEY observation_target_id (target_id)
);
INSERT INTO observation VALUES
(1, 6, 6, 8, '2022-05-15 21:45:00', 60, 'poor'),
(2, 3, 6, 3, '2022-06-06 21:30:00', 10, 'good'),
(3, 7, 1, 9, '2023-07-04 01:15:00', 60, 'good'),
(4, 2, 5, 4, '2023-12-23 00:30:00', 90, 'good'),
(5, 5, 3, 4, '2023-09-29 23:15:00', 180, 'good'),
(6, 3, 6, 5, '2024-01-28 20:00:00', 45, 'fair'),
(7, 4, 2, 4, '2022-12-28 03:30:00', 20, NULL),
(8, 3, 6, 10, '2023-05-06 23:30:00', 10, 'good'),
(9, 10, 2, 7, '2023-11-09 01:00:00', 45, 'poor'),
(10, 1, 5, 8, '2022-07-11 02:30:00', 120, 'poor'),
(11, 2, 1, 3, '2024-01-22 22:15:00', 180, 'good'),
(12, 2, 7, 9, '2023-09-28 03:30:00', 30, 'good'),
(13, 5, 3, 4, '2022-01-24 21:15:00', 10, 'good'),
(14, 9, 5, 5, '2022-08-15 00:15:00', 120, 'fair'),
(15, 10, 9, 9, '2022-03-13 01:45:00', 120, 'good'),
(16, 7, 7, 1, '2022-05-23 04:15:00', 180, NULL),
(17, 2, 2, 8, '2023-09-25 20:15:00', 20, 'good'),
(18, 1, 7, 1, '2022-03-14 01:45:00', 45, NULL),
(19, 7, 6, 9, '2022-10-20 20:00:00', 10, 'good'),
(20, 3, 6, 9, '2023-04-08 01:15:00', 180, 'good'),
(21, 7, 3, 8, '2022-09-20 04:30:00', 30, NULL),
(22, 4, 2, 11, '2022-05-14 02:45:00', 45, 'poor'),
(23, 1, 2, 11, '2022-03-25 23:30:00', 90, 'poor'),
(24, 3, 2, 7, '2022-09-26 22:45:00', 180, 'good'),
(25, 5, 7, 7, '2023-11-24 23:15:00', 90, 'good'),
(26, 1, 5, 1, '2022-07-29 01:30:00', 90, 'poor'),
(27, 5, 5, 9, '2023-04-24 03:00:00', 60, NULL),
(28, 1, 2, 5, '2022-03-16 21:15:00', 60, NULL),
(29, 2, 5, 11, '2024-03-17 22:30:00', 60, 'good'),
(30, 4, 2, 5, '2022-06-11 04:45:00', 10, 'poor'),
(31, 1, 2, 5, '2023-03-21 21:30:00', 20, 'good'),
(32, 1, 6, 1, '2022-08-25 21:30:00', 90, NULL),
(33, 1, 7, 4, '2023-03-13 00:15:00', 20, NULL),
(34, 3, 4, 11, '2022-10-05 20:15:00', 60, 'good'),
(35, 6, 7, 11, '2024-02-26 23:30:00', 30, NULL),
(36, 1, 1, 1, '2022-12-31 20:30:00', 45, 'fair'),
(37, 1, 5, 11, '2023-05-11 23:45:00', 180, NULL),
(38, 3, 3, 6, '2023-02-16 04:30:00', 45, NULL);
`;
