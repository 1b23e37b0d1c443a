"""Thin ROS nodes round the live tracker: conversion and wiring only; importing this needs no ROS."""
